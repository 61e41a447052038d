package history

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/promql"
	"go.uber.org/goleak"
)

// A database that fails to open leaves the writer of its log behind, once in a
// process's life.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/prometheus/prometheus/tsdb/wlog.(*WL).run"))
}

// noon is where the tests' clock begins.
var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir() + "/history"
	}
	if o.Instance == "" {
		o.Instance = "here"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// app is what is sampled: a registry with some metrics.
type app struct {
	*prometheus.Registry
	chats    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	memory   prometheus.Gauge
}

func newApp() *app {
	a := &app{
		Registry: prometheus.NewRegistry(),
		chats:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "treq_chat_tokens_total", Help: "Tokens."}, []string{"service_name"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "treq_chat_duration_seconds", Help: "Time.", Buckets: []float64{0.5, 1, 2}}, []string{"treq_outcome", "treq_rag", "service_name"}),
		memory:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "process_memory_usage_bytes", Help: "Memory."}),
	}
	a.MustRegister(a.chats, a.duration, a.memory)
	return a
}

func (a *app) families(t testing.TB) []*dto.MetricFamily {
	t.Helper()
	families, err := a.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func (s *Store) mustSample(t testing.TB, at time.Time, families []*dto.MetricFamily, restored bool) {
	t.Helper()
	if err := s.Sample(t.Context(), at, families, restored); err != nil {
		t.Fatal(err)
	}
}

// number evaluates an expression that gives one number; NaN where it gives none.
func (s *Store) number(t testing.TB, expr string, at time.Time) float64 {
	t.Helper()
	v, err := s.QueryVector(t.Context(), expr, at)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	switch len(v) {
	case 0:
		return math.NaN()
	case 1:
		return v[0].F
	}
	t.Fatalf("%s gives %d series: %v", expr, len(v), v)
	return 0
}

func (s *Store) want(t testing.TB, at time.Time, expr string, want float64) {
	t.Helper()
	got := s.number(t, expr, at)
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s at %s = %v, want %v", expr, at.Format(time.TimeOnly), got, want)
	}
}

func (s *Store) series(t testing.TB, selector string, at time.Time) promql.Vector {
	t.Helper()
	v, err := s.Query(context.Background(), selector, at)
	if err != nil {
		t.Fatal(err)
	}
	return v.(promql.Vector)
}

func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
