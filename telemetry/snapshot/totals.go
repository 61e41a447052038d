package snapshot

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
)

// Totals gives the totals of the meter's scope, restored ones included, as an
// OTLP metrics message. They hold everything that was recorded before the call.
func (r *Reader) Totals(ctx context.Context) ([]byte, error) {
	s, err := r.snapshot(ctx, 0)
	if err != nil {
		return nil, err
	}
	message := pmetric.NewMetrics()
	scope := message.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(instrument.MeterScope)
	for _, collected := range s.scopes {
		if collected.Scope.Name != instrument.MeterScope {
			continue
		}
		for _, m := range collected.Metrics {
			if err := encode(m, scope.Metrics().AppendEmpty()); err != nil {
				return nil, err
			}
		}
	}
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(message)
	if err != nil {
		return nil, fmt.Errorf("snapshot: totals: %w", err)
	}
	return data, nil
}

// Restore takes over totals that another process's Totals gave, in place of any
// restored before. Histograms whose bounds have changed since keep their counts
// and sums; their buckets are moved to the present bounds. It comes before the
// first event, so that sums go on from the very numbers that were shown. On an
// error nothing has changed.
func (r *Reader) Restore(data []byte) error {
	message, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
	if err != nil {
		return fmt.Errorf("snapshot: totals: %w", err)
	}
	table := map[string]instrument.Definition{}
	for _, def := range instrument.Table() {
		if def.Scope == instrument.MeterScope {
			table[def.Name] = def
		}
	}
	var metrics []metricdata.Metrics
	for _, resource := range message.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				decoded, err := decode(m, table[m.Name()])
				if err != nil {
					return fmt.Errorf("snapshot: totals: %s: %w", m.Name(), err)
				}
				metrics = append(metrics, decoded)
			}
		}
	}
	restored := newTotals(metrics)
	if r.instruments != nil {
		restored.resume(r.instruments)
	}
	r.restored.Store(restored)
	r.Invalidate()
	return nil
}

func encode(m metricdata.Metrics, to pmetric.Metric) error {
	to.SetName(m.Name)
	to.SetUnit(m.Unit)
	to.SetDescription(m.Description)
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		sum := to.SetEmptySum()
		sum.SetIsMonotonic(data.IsMonotonic)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for _, point := range data.DataPoints {
			p := sum.DataPoints().AppendEmpty()
			p.SetIntValue(point.Value)
			p.SetStartTimestamp(timestampOf(point.StartTime))
			p.SetTimestamp(timestampOf(point.Time))
			encodeAttributes(point.Attributes, p.Attributes())
		}
	case metricdata.Histogram[float64]:
		encodeHistogram(data, to.SetEmptyHistogram())
	case metricdata.Histogram[int64]:
		encodeHistogram(data, to.SetEmptyHistogram())
	default:
		return fmt.Errorf("snapshot: totals: %s: %T cannot be checkpointed", m.Name, m.Data)
	}
	return nil
}

func encodeHistogram[N int64 | float64](data metricdata.Histogram[N], to pmetric.Histogram) {
	to.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, point := range data.DataPoints {
		p := to.DataPoints().AppendEmpty()
		p.SetCount(point.Count)
		p.SetSum(float64(point.Sum))
		p.ExplicitBounds().FromRaw(point.Bounds)
		p.BucketCounts().FromRaw(point.BucketCounts)
		p.SetStartTimestamp(timestampOf(point.StartTime))
		p.SetTimestamp(timestampOf(point.Time))
		encodeAttributes(point.Attributes, p.Attributes())
	}
}

// encodeAttributes: all attributes of the meter's scope are strings.
func encodeAttributes(set attribute.Set, to pcommon.Map) {
	to.EnsureCapacity(set.Len())
	for _, kv := range set.ToSlice() {
		to.PutStr(string(kv.Key), kv.Value.String())
	}
}

func decodeAttributes(from pcommon.Map) attribute.Set {
	pairs := make([]attribute.KeyValue, 0, from.Len())
	for key, value := range from.All() {
		pairs = append(pairs, attribute.String(key, value.AsString()))
	}
	return attribute.NewSet(pairs...)
}

// decode reads a metric as the kind that the table gives it; an instrument that
// the table no longer has is kept as it is.
func decode(m pmetric.Metric, def instrument.Definition) (metricdata.Metrics, error) {
	decoded := metricdata.Metrics{Name: m.Name(), Unit: m.Unit(), Description: m.Description()}
	if def.Name != "" {
		decoded.Unit, decoded.Description = def.Unit, def.Description
	}
	known := func(kinds ...instrument.Kind) bool { return def.Name == "" || slices.Contains(kinds, def.Kind) }
	var err error
	switch {
	case m.Type() == pmetric.MetricTypeSum && known(instrument.Counter, instrument.NanoCounter):
		decoded.Data, err = decodeSum(m.Sum())
	case m.Type() == pmetric.MetricTypeHistogram && def.Kind == instrument.IntHistogram:
		decoded.Data, err = decodeHistogram[int64](m.Histogram(), def.Bounds)
	case m.Type() == pmetric.MetricTypeHistogram && known(instrument.Histogram):
		decoded.Data, err = decodeHistogram[float64](m.Histogram(), def.Bounds)
	default:
		err = fmt.Errorf("a %s cannot be restored", m.Type())
	}
	return decoded, err
}

func decodeSum(from pmetric.Sum) (metricdata.Aggregation, error) {
	sum := metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: from.IsMonotonic()}
	for _, p := range from.DataPoints().All() {
		if p.ValueType() != pmetric.NumberDataPointValueTypeInt || p.IntValue() < 0 {
			return nil, fmt.Errorf("a total is no whole number")
		}
		sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[int64]{
			Attributes: decodeAttributes(p.Attributes()),
			StartTime:  timeOf(p.StartTimestamp()), Time: timeOf(p.Timestamp()),
			Value: p.IntValue(),
		})
	}
	return sum, nil
}

func decodeHistogram[N int64 | float64](from pmetric.Histogram, bounds []float64) (metricdata.Aggregation, error) {
	histogram := metricdata.Histogram[N]{Temporality: metricdata.CumulativeTemporality}
	for _, p := range from.DataPoints().All() {
		oldBounds, counts := p.ExplicitBounds().AsRaw(), p.BucketCounts().AsRaw()
		var count uint64
		for _, n := range counts {
			count += n
		}
		if len(counts) != len(oldBounds)+1 || count != p.Count() || !slices.IsSorted(oldBounds) {
			return nil, fmt.Errorf("the buckets of a histogram contradict its count")
		}
		if math.IsNaN(p.Sum()) || math.IsInf(p.Sum(), 0) {
			return nil, fmt.Errorf("the sum of a histogram is no number")
		}
		if bounds == nil {
			bounds = oldBounds
		}
		histogram.DataPoints = append(histogram.DataPoints, metricdata.HistogramDataPoint[N]{
			Attributes: decodeAttributes(p.Attributes()),
			StartTime:  timeOf(p.StartTimestamp()), Time: timeOf(p.Timestamp()),
			Count: p.Count(), Sum: sumOf[N](p.Sum()),
			Bounds: bounds, BucketCounts: rebucket(oldBounds, counts, bounds),
		})
	}
	return histogram, nil
}

// rebucket moves counts to other bounds: what was at most an old bound goes to
// the first bucket whose bound is not below it.
func rebucket(oldBounds []float64, counts []uint64, bounds []float64) []uint64 {
	if slices.Equal(oldBounds, bounds) {
		return counts
	}
	moved := make([]uint64, len(bounds)+1)
	for i, n := range counts {
		at := len(bounds)
		if i < len(oldBounds) {
			at, _ = slices.BinarySearch(bounds, oldBounds[i])
		}
		moved[at] += n
	}
	return moved
}

// timeOf keeps an unknown time unknown.
func timeOf(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}

func timestampOf(t time.Time) pcommon.Timestamp {
	if t.IsZero() {
		return 0
	}
	return pcommon.NewTimestampFromTime(t)
}

// sumOf gives a sum as it was before it became a floating-point number, of which the
// one nearest to the largest whole number is beyond it.
func sumOf[N int64 | float64](sum float64) N {
	const beyond = 1 << 63
	if whole, ok := any(new(N)).(*int64); ok && sum >= beyond {
		*whole = math.MaxInt64
		return N(*whole)
	}
	return N(sum)
}
