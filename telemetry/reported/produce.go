package reported

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Scope is the scope of the metrics that Produce gives.
const Scope = "treq/reported"

// Prefix is put before the name of every metric that services report.
const Prefix = "reported_"

// The names of the store's own metrics, under Scope too.
const (
	SeriesKept    = "treq.pipeline.reported.series"
	PointsRefused = "treq.pipeline.reported.refused"
)

// sorted gives the series by family name, each in a stable order.
func (s *Store) sorted() (names []string, byName map[string][]*series) {
	byName = make(map[string][]*series, len(s.families))
	for _, one := range s.series {
		byName[one.name] = append(byName[one.name], one)
	}
	for name, all := range byName {
		names = append(names, name)
		slices.SortFunc(all, func(a, b *series) int {
			return cmp.Compare(a.attrs.Encoded(attribute.DefaultEncoder()), b.attrs.Encoded(attribute.DefaultEncoder()))
		})
	}
	slices.Sort(names)
	return names, byName
}

func (s *Store) produce() []metricdata.ScopeMetrics {
	names, byName := s.sorted()
	metrics := make([]metricdata.Metrics, 0, len(names)+2)
	for _, name := range names {
		metrics = append(metrics, s.families[name].metrics(byName[name]))
	}
	metrics = append(metrics, metricdata.Metrics{
		Name: SeriesKept, Unit: "{series}", Description: "Series of metrics that services report.",
		Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{{Value: int64(len(s.series))}}},
	})
	if len(s.refused) > 0 {
		metrics = append(metrics, s.refusals())
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: Scope}, Metrics: metrics}}
}

func (s *Store) refusals() metricdata.Metrics {
	sum := metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
	for reason, n := range s.refused {
		sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[int64]{
			Attributes: attribute.NewSet(attribute.String("treq.reason", reason)), Value: n,
		})
	}
	return metricdata.Metrics{
		Name: PointsRefused, Unit: "{point}", Description: "Points of reported metrics that were not kept.", Data: sum,
	}
}

// metrics gives the series of one family in the SDK's form.
func (f *family) metrics(all []*series) metricdata.Metrics {
	m := metricdata.Metrics{Name: Prefix + f.name, Unit: f.unit, Description: f.description}
	switch f.kind {
	case gauge:
		m.Data = metricdata.Gauge[float64]{DataPoints: numbers(all)}
	case counter, updown:
		m.Data = metricdata.Sum[float64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: f.kind == counter, DataPoints: numbers(all),
		}
	case histogram:
		points := make([]metricdata.HistogramDataPoint[float64], len(all))
		for i, one := range all {
			points[i] = metricdata.HistogramDataPoint[float64]{
				Attributes: one.attrs, StartTime: one.start, Time: one.at,
				Count: one.count, Sum: one.sum, Bounds: one.bounds, BucketCounts: one.counts,
			}
		}
		m.Data = metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: points}
	case exponential:
		points := make([]metricdata.ExponentialHistogramDataPoint[float64], len(all))
		for i, one := range all {
			points[i] = metricdata.ExponentialHistogramDataPoint[float64]{
				Attributes: one.attrs, StartTime: one.start, Time: one.at, Count: one.count, Sum: one.sum,
				Scale: one.scale, ZeroCount: one.zeroCount, ZeroThreshold: one.zeroThreshold,
				PositiveBucket: metricdata.ExponentialBucket{Offset: one.positive.offset, Counts: one.positive.counts},
				NegativeBucket: metricdata.ExponentialBucket{Offset: one.negative.offset, Counts: one.negative.counts},
			}
		}
		m.Data = metricdata.ExponentialHistogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: points}
	}
	return m
}

func numbers(all []*series) []metricdata.DataPoint[float64] {
	points := make([]metricdata.DataPoint[float64], len(all))
	for i, one := range all {
		points[i] = metricdata.DataPoint[float64]{Attributes: one.attrs, StartTime: one.start, Time: one.at, Value: one.value}
	}
	return points
}
