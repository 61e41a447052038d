package instrument

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

var _ sdkmetric.Producer = (*Instruments)(nil)

// Lock begins a group of events that collections see together or not at all:
// the events of one record. Unlock ends it. Events outside such a group are for
// when nothing collects.
func (in *Instruments) Lock() {
	in.mu.Lock()
	in.at = in.now()
}

// Unlock ends what Lock began.
func (in *Instruments) Unlock() { in.mu.Unlock() }

// Open tells how many spans that were read wait for the rest of their trace.
func (in *Instruments) Open(n int) { in.open, in.opened = int64(n), true }

// Produce gives the instruments of MeterScope with all series measured since the
// process started, cumulative, and treq.pipeline.open of the same moment. It
// waits for a group of events to end. The SDK's reader calls it.
func (in *Instruments) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := in.now()
	metrics := make([]metricdata.Metrics, 0, len(in.table))
	for _, set := range in.table {
		if m, ok := set.collect(in.started, now); ok {
			metrics = append(metrics, m)
		}
	}
	scopes := []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: MeterScope}, Metrics: metrics}}
	if in.opened {
		scopes = append(scopes, metricdata.ScopeMetrics{
			Scope: instrumentation.Scope{Name: ProcessScope}, Metrics: []metricdata.Metrics{in.collectOpen(now)},
		})
	}
	return scopes, nil
}

func (in *Instruments) collectOpen(now time.Time) metricdata.Metrics {
	def := openSpans()
	return metricdata.Metrics{Name: def.Name, Description: def.Description, Unit: def.Unit, Data: metricdata.Sum[int64]{
		Temporality: metricdata.CumulativeTemporality,
		DataPoints:  []metricdata.DataPoint[int64]{{StartTime: in.started, Time: now, Value: in.open}},
	}}
}

// collect gives the instrument's data; false if nothing was measured.
func (s *seriesSet) collect(started, now time.Time) (metricdata.Metrics, bool) {
	m := metricdata.Metrics{Name: s.def.Name, Description: s.def.Description, Unit: s.def.Unit}
	n := 0
	for _, one := range s.all {
		if one.measured {
			n++
		}
	}
	switch s.def.Kind {
	case Histogram:
		m.Data = collectHistogram(s, n, started, now, func(one *series) float64 { return one.sum })
	case IntHistogram:
		m.Data = collectHistogram(s, n, started, now, func(one *series) int64 { return one.total })
	default:
		points := make([]metricdata.DataPoint[int64], 0, n)
		for _, one := range s.all {
			if one.measured {
				points = append(points, metricdata.DataPoint[int64]{
					Attributes: one.attributes, StartTime: started, Time: now, Value: one.total,
				})
			}
		}
		m.Data = metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: points}
	}
	return m, n > 0
}

func collectHistogram[N int64 | float64](s *seriesSet, n int, started, now time.Time, sum func(*series) N) metricdata.Histogram[N] {
	points := make([]metricdata.HistogramDataPoint[N], 0, n)
	// One allocation for the buckets of all points.
	buckets := make([]uint64, 0, n*(len(s.def.Bounds)+1))
	for _, one := range s.all {
		if !one.measured {
			continue
		}
		from := len(buckets)
		buckets = append(buckets, one.buckets...)
		points = append(points, metricdata.HistogramDataPoint[N]{
			Attributes: one.attributes, StartTime: started, Time: now,
			Count: one.count, Sum: sum(one), Bounds: s.def.Bounds,
			BucketCounts: slices.Clip(buckets[from:]),
			Exemplars:    exemplars[N](one),
		})
	}
	return metricdata.Histogram[N]{Temporality: metricdata.CumulativeTemporality, DataPoints: points}
}

func exemplars[N int64 | float64](one *series) []metricdata.Exemplar[N] {
	var out []metricdata.Exemplar[N]
	for i := range one.examples {
		if e := one.examples[i]; !e.at.IsZero() {
			out = append(out, metricdata.Exemplar[N]{Time: e.at, Value: N(e.value), TraceID: e.trace[:], SpanID: e.span[:]})
		}
	}
	return out
}
