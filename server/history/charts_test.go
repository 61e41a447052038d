package history

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// searched is a history of an hour of searches in two data sources, and of the
// pipeline: every 15 s two searches in docs and one in web, 30 spans, of which 12
// belong to app, and sinks that lag 5 s and 9 s.
func searched(t *testing.T) *Store {
	end := noon.Add(time.Hour)
	s := open(t, Options{Now: func() time.Time { return end }})
	r := prometheus.NewRegistry()
	search := []string{labelSource, labelService}
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: searchDuration, Help: "Time.", Buckets: []float64{0.1, 1}}, search)
	similar := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: similarity, Help: "Similarity.", Buckets: []float64{0.2, 0.4, 0.6, 0.8, 1}}, search)
	low := prometheus.NewCounterVec(prometheus.CounterOpts{Name: below, Help: "Below."}, search)
	admitted := prometheus.NewCounter(prometheus.CounterOpts{Name: "treq_pipeline_admitted_total", Help: "Admitted."})
	spans := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "treq_pipeline_spans_total", Help: "Spans."}, []string{"treq_disposition", labelService})
	bytes := prometheus.NewGauge(prometheus.GaugeOpts{Name: "treq_journal_bytes", Help: "Bytes."})
	lag := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "treq_pipeline_queue_age_seconds", Help: "Age."}, []string{labelSink})
	r.MustRegister(duration, similar, low, admitted, spans, bytes, lag)
	bytes.Set(4096)
	lag.WithLabelValues("a").Set(5)
	lag.WithLabelValues("b").Set(9)
	for at := noon; !at.After(end); at = at.Add(15 * time.Second) {
		duration.WithLabelValues("docs", "app").Observe(0.05)
		duration.WithLabelValues("docs", "app").Observe(0.05)
		duration.WithLabelValues("web", "app").Observe(0.05)
		similar.WithLabelValues("docs", "app").Observe(0.5)
		similar.WithLabelValues("docs", "app").Observe(0.5)
		similar.WithLabelValues("web", "app").Observe(0.1)
		low.WithLabelValues("web", "app").Inc()
		admitted.Add(30)
		spans.WithLabelValues("counted", "app").Add(12)
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		s.mustSample(t, at, families, false)
	}
	return s
}

func TestChartsOfSearchesAndPipeline(t *testing.T) {
	s := searched(t)
	for _, c := range []struct {
		metric, service, by string
		want                map[string]float64
	}{
		{"searches", "", "data_source", map[string]float64{"docs": 8, "web": 4}},
		{"below_threshold_rate", "", "", map[string]float64{"": 100.0 / 3}},
		{"below_threshold_rate", "", "data_source", map[string]float64{"docs": 0, "web": 100}},
		{"similarity_p10", "", "data_source", map[string]float64{"docs": 0.42, "web": 0.02}},
		{"similarity_p50", "", "data_source", map[string]float64{"docs": 0.5, "web": 0.1}},
		{"similarity_p90", "", "", map[string]float64{"": 0.57}},
		{"spans", "", "", map[string]float64{"": 2}},
		{"spans", "app", "", map[string]float64{"": 0.8}},
		{"spans", "", "service", map[string]float64{"app": 0.8}},
		{"journal_bytes", "", "", map[string]float64{"": 4096}},
		{"sink_lag", "", "sink", map[string]float64{"a": 5, "b": 9}},
		{"sink_lag", "", "", map[string]float64{"": 9}},
	} {
		q := ChartQuery{Metric: c.metric, Service: c.service, Range: 30 * time.Minute, Step: 10 * time.Minute}
		if c.by != "" {
			q.By = []string{c.by}
		}
		d, err := s.Chart(t.Context(), q)
		if err != nil {
			t.Errorf("%s by %q: %v", c.metric, c.by, err)
			continue
		}
		if len(d.Series) != len(c.want) {
			t.Errorf("%s by %q: %d lines, want %d", c.metric, c.by, len(d.Series), len(c.want))
		}
		for _, line := range d.Series {
			name := ""
			for _, label := range []*string{line.Service, line.Model, line.DataSource, line.Sink} {
				if label != nil {
					name = *label
				}
			}
			want, known := c.want[name]
			got := line.Values[len(line.Values)-1]
			if !known || got == nil || math.Abs(*got-want) > 1e-6 {
				t.Errorf("%s by %q, line %q: %v, want %v", c.metric, c.by, name, got, c.want)
				if got != nil {
					t.Logf("got %v", *got)
				}
			}
		}
	}
}
