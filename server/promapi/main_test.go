package promapi_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"treq/server/history"
	"treq/server/promapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	end  = noon.Add(10 * time.Minute)
)

// filled is a history of ten minutes: a counter that grows by one each step, for
// two services, with an example that names a trace.
func filled(t *testing.T, o history.Options) *history.Store {
	t.Helper()
	o.Dir, o.Instance = t.TempDir()+"/history", "here"
	s, err := history.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	registry := prometheus.NewRegistry()
	chats := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chats_total", Help: "Chats that were answered."}, []string{"service"})
	memory := prometheus.NewGauge(prometheus.GaugeOpts{Name: "memory_bytes", Help: "Memory <of> \"this\"."})
	registry.MustRegister(chats, memory)
	for at := noon; !at.After(end); at = at.Add(15 * time.Second) {
		chats.WithLabelValues("b").Inc()
		chats.WithLabelValues("a").(prometheus.ExemplarAdder).AddWithExemplar(1, prometheus.Labels{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
		memory.Set(1.5e9)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Sample(t.Context(), at, families, false); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// serve puts the API behind a door, and gives its address.
func serve(t *testing.T, o promapi.Options) string {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return end }
	}
	server := httptest.NewServer(promapi.New(o))
	t.Cleanup(server.Close)
	return server.URL + "/prometheus"
}

func clientOf(t *testing.T, address string) v1.API {
	t.Helper()
	c, err := api.NewClient(api.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	return v1.NewAPI(c)
}
