package snapshot_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

const (
	acceptText        = "text/plain;version=0.0.4"
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

func get(h http.Handler, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func expose(t testing.TB, r *snapshot.Reader) *snapshot.Exposition {
	t.Helper()
	e, err := snapshot.NewExposition(r, snapshot.ExpositionOptions{OnError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExposition(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playGuide(l, 0, 60)
	l = l.reincarnate(t)
	playGuide(l, 60, 100)
	e := expose(t, l.reader)
	golden(t, "exposition.txt", get(e, acceptText).Body.String())
	golden(t, "exposition.openmetrics.txt", get(e, acceptOpenMetrics).Body.String())
}

func TestExpositionOfNothing(t *testing.T) {
	e := expose(t, begin(t, snapshot.Options{}).reader)
	if w := get(e, acceptText); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := get(e, acceptOpenMetrics); w.Code != http.StatusOK || w.Body.String() != "# EOF\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestExpositionNegotiates(t *testing.T) {
	l := begin(t, snapshot.Options{})
	l.Late(1)
	e := expose(t, l.reader)
	for accept, want := range map[string]string{
		"":                                   "text/plain; version=0.0.4",
		"*/*":                                "text/plain; version=0.0.4",
		"text/html":                          "text/plain; version=0.0.4",
		acceptText:                           "text/plain; version=0.0.4",
		acceptOpenMetrics:                    "application/openmetrics-text; version=1.0.0",
		"application/openmetrics-text":       "application/openmetrics-text",
		acceptProtobuf:                       "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
		acceptText + ";escaping=allow-utf-8": "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8",
	} {
		w := get(e, accept)
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, want) || w.Code != http.StatusOK {
			t.Errorf("Accept %q: %d, %s, want %s", accept, w.Code, got, want)
		}
	}
	families := expfmt.NewDecoder(get(e, acceptProtobuf).Body, expfmt.NewFormat(expfmt.TypeProtoDelim))
	var family dto.MetricFamily
	if err := families.Decode(&family); err != nil || family.GetName() != "treq_pipeline_late_total" || family.GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Errorf("protobuf: %v, %v", &family, err)
	}
}

func TestExpositionCompresses(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playGuide(l, 0, 100)
	e := expose(t, l.reader)
	plain := get(e, acceptText).Body.String()
	for encoding, want := range map[string]bool{
		"gzip": true, "deflate, gzip;q=0.5": true, "GZIP": true,
		"": false, "identity": false, "gzip;q=0": false, "gzip; q=0.000": false, "zstd": false, "gzip;q=x": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		body := io.Reader(w.Body)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("Accept-Encoding %q: compressed is %v", encoding, got)
		} else if got {
			unzipped, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = unzipped
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != plain {
			t.Errorf("Accept-Encoding %q: another text (%v)", encoding, err)
		}
	}
}

func TestExemplarsInOpenMetrics(t *testing.T) {
	l := begin(t, snapshot.Options{})
	l.Chat(&telemetry.Chat{Duration: time.Second, Origin: telemetry.Origin{Service: "app", TraceID: [16]byte{0xab}, SpanID: [8]byte{0xcd}}})
	text := get(expose(t, l.reader), acceptOpenMetrics).Body.String()
	want := regexp.MustCompile(`treq_chat_duration_seconds_bucket\{[^}]*le="1.0"\} 1 # \{([^}]*)\} 1.0 [0-9.e+]+\n`)
	match := want.FindStringSubmatch(text)
	if match == nil || !strings.Contains(match[1], `trace_id="ab000000000000000000000000000000"`) || !strings.Contains(match[1], `span_id="cd00000000000000"`) {
		t.Errorf("no exemplar in\n%s", text)
	}
}

// counting counts how often the registry gathers.
type counting struct {
	mu sync.Mutex
	n  int
}

func (c *counting) Describe(chan<- *prometheus.Desc) {}
func (c *counting) Collect(chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func TestScrapersShareARendering(t *testing.T) {
	l := begin(t, snapshot.Options{MaxAge: time.Hour})
	l.Late(1)
	gathered := &counting{}
	e, err := snapshot.NewExposition(l.reader, snapshot.ExpositionOptions{Collectors: []prometheus.Collector{gathered}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { get(e, acceptText) })
		wg.Go(func() { get(e, acceptOpenMetrics) })
	}
	wg.Wait()
	if gathered.n != 1 {
		t.Errorf("gathered %d times for one snapshot", gathered.n)
	}
	l.Late(1)
	l.reader.Invalidate()
	if text := get(e, acceptText).Body.String(); !strings.Contains(text, "treq_pipeline_late_total 2\n") {
		t.Errorf("after Invalidate:\n%s", text)
	}
	if gathered.n != 2 {
		t.Errorf("gathered %d times for two snapshots", gathered.n)
	}
}

// twins gives two metrics that are one name to Prometheus.
type twins struct{}

func (twins) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	point := []metricdata.DataPoint[int64]{{Value: 1}}
	return []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{
		{Name: "a.b", Data: metricdata.Gauge[int64]{DataPoints: point}},
		{Name: "a_b", Data: metricdata.Gauge[int64]{DataPoints: point}},
		{Name: "c", Data: metricdata.Gauge[int64]{DataPoints: point}},
	}}}, nil
}

func TestWhatCannotBeExposedCostsOnlyItself(t *testing.T) {
	l := begin(t, snapshot.Options{Producers: []sdkmetric.Producer{twins{}}})
	var errs []error
	e, err := snapshot.NewExposition(l.reader, snapshot.ExpositionOptions{OnError: func(err error) { errs = append(errs, err) }})
	if err != nil {
		t.Fatal(err)
	}
	w := get(e, acceptText)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "\nc 1\n") || len(errs) != 1 {
		t.Errorf("%d, %v\n%s", w.Code, errs, w.Body)
	}
}

func TestExpositionWithoutACollection(t *testing.T) {
	l := begin(t, snapshot.Options{})
	e, err := snapshot.NewExposition(l.reader, snapshot.ExpositionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.reader.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w := get(e, acceptText); w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", w.Code)
	}
}

func TestSummaryExposition(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playGuide(l, 0, 100)
	failure := error(nil)
	e := &snapshot.SummaryExposition{Summary: func(context.Context) (snapshot.Summary, error) {
		return l.tally(t, "").Summary(snapshot.Healthy, 90*time.Minute), failure
	}}
	golden(t, "summary.txt", get(e, acceptText).Body.String())
	golden(t, "summary.openmetrics.txt", get(e, acceptOpenMetrics).Body.String())
	failure = errors.New("not ready")
	if w := get(e, acceptText); w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d", w.Code)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	l := begin(b, snapshot.Options{})
	playGuide(l, 0, 100)
	b.ReportAllocs()
	for b.Loop() {
		l.reader.Invalidate()
		s, err := l.reader.Snapshot(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		s.Tally("")
	}
}

func BenchmarkExposition(b *testing.B) {
	l := begin(b, snapshot.Options{MaxAge: time.Hour})
	playGuide(l, 0, 100)
	e := expose(b, l.reader)
	run := func(name string, each func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				each()
				get(e, acceptText)
			}
		})
	}
	run("fresh", l.reader.Invalidate)
	run("shared", func() {})
}

// BenchmarkPromhttp is what the same series cost through client_golang's handler.
func BenchmarkPromhttp(b *testing.B) {
	l := begin(b, snapshot.Options{})
	playGuide(l, 0, 100)
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithProducer(l.reader),
		otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		b.Fatal(err)
	}
	sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	b.ReportAllocs()
	for b.Loop() {
		l.reader.Invalidate()
		get(handler, acceptText)
	}
}
