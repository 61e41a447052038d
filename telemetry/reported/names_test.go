package reported_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
)

// Whatever names and attributes a service chooses, an exposition can be made of them.
func TestNamesThatPrometheusCannotHave(t *testing.T) {
	for _, key := range []string{"__name__", "__x", "_", "日本", "___", "1a", "a b", "quantile", "le", "l\"e", "\x00", "-", ".", "a\nb", "_a"} {
		s := reported.NewStore(reported.Options{})
		consume(t, s, 0, request(t, "app", "", number("n", 0, false, 0, 1, key, "v\n\"\\")))
		check(t, s, "key "+key)
	}
	for _, name := range []string{"日本", "1x", " ", "-", "a\nb", "_", "__", "x_total", "x_bucket", "é", "\"", "a{b}"} {
		s := reported.NewStore(reported.Options{})
		consume(t, s, 0, request(t, "app", "", number(name, cumulative, true, 0, 1), explicit(name+"h", cumulative, 1, []float64{1}, 1, 1)))
		check(t, s, "name "+name)
	}
}

func check(t *testing.T, s *reported.Store, what string) {
	t.Helper()
	reader := snapshot.NewReader(snapshot.Options{Producers: []sdkmetric.Producer{s}})
	snapshot.NewProvider(reader)
	e, err := snapshot.NewExposition(reader, snapshot.ExpositionOptions{OnError: func(err error) { t.Errorf("%q: %v", what, err) }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Errorf("%q: %d", what, w.Code)
	}
}
