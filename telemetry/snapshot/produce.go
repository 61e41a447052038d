package snapshot

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
)

// events gives what a meter's instruments hold to the SDK's reader.
type events struct{ *instrument.Instruments }

var _ sdkmetric.Producer = events{}

// Produce implements the SDK's producer.
func (e events) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	metrics, started, now := e.Collect()
	var scopes []metricdata.ScopeMetrics
	for i := range metrics {
		m := &metrics[i]
		if len(scopes) == 0 || scopes[len(scopes)-1].Scope.Name != m.Scope {
			scopes = append(scopes, metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: m.Scope}})
		}
		scope := &scopes[len(scopes)-1]
		scope.Metrics = append(scope.Metrics, metricdata.Metrics{
			Name: m.Name, Description: m.Description, Unit: m.Unit, Data: aggregate(m, started, now),
		})
	}
	return scopes, nil
}

func aggregate(m *instrument.Metric, started, now time.Time) metricdata.Aggregation {
	switch m.Kind {
	case instrument.Histogram:
		return histogram(m, started, now, func(p *instrument.Point) float64 { return p.Sum })
	case instrument.IntHistogram:
		return histogram(m, started, now, func(p *instrument.Point) int64 { return p.Total })
	}
	points := make([]metricdata.DataPoint[int64], len(m.Points))
	for i := range m.Points {
		p := &m.Points[i]
		points[i] = metricdata.DataPoint[int64]{Attributes: p.Attributes, StartTime: started, Time: now, Value: p.Total}
	}
	return metricdata.Sum[int64]{
		Temporality: metricdata.CumulativeTemporality,
		IsMonotonic: m.Kind != instrument.ObservableUpDown,
		DataPoints:  points,
	}
}

func histogram[N int64 | float64](m *instrument.Metric, started, now time.Time, sum func(*instrument.Point) N) metricdata.Histogram[N] {
	points := make([]metricdata.HistogramDataPoint[N], len(m.Points))
	for i := range m.Points {
		p := &m.Points[i]
		points[i] = metricdata.HistogramDataPoint[N]{
			Attributes: p.Attributes, StartTime: started, Time: now,
			Count: p.Count, Sum: sum(p), Bounds: m.Bounds, BucketCounts: p.Buckets,
			Exemplars: make([]metricdata.Exemplar[N], 0, len(p.Exemplars)),
		}
		for k := range p.Exemplars {
			e := &p.Exemplars[k]
			points[i].Exemplars = append(points[i].Exemplars, metricdata.Exemplar[N]{
				Time: e.At, Value: N(e.Value), TraceID: e.TraceID[:], SpanID: e.SpanID[:],
			})
		}
	}
	return metricdata.Histogram[N]{Temporality: metricdata.CumulativeTemporality, DataPoints: points}
}
