package reported

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
)

const (
	attrService  = "service.name"
	attrInstance = "service.instance.id"

	maxValueBytes = 256
	maxNameBytes  = 255
	maxAttributes = 64
	maxBounds     = 512
)

// intake reads the metrics of one resource into the store, whose lock is held.
type intake struct {
	*Store
	seen time.Time
	base []attribute.KeyValue
}

// point is what the points of every kind have in common.
type point interface {
	Attributes() pcommon.Map
	StartTimestamp() pcommon.Timestamp
	Timestamp() pcommon.Timestamp
	Flags() pmetric.DataPointFlags
}

func (w *intake) refuse(reason string, n int) { w.refused[reason] += int64(n) }

func (w *intake) metric(m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		w.numbers(m, gauge, pmetric.AggregationTemporalityCumulative, m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		k := updown
		if m.Sum().IsMonotonic() {
			k = counter
		}
		w.numbers(m, k, m.Sum().AggregationTemporality(), m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		h := m.Histogram()
		if f := w.family(m, histogram, h.AggregationTemporality(), h.DataPoints().Len()); f != nil {
			for _, p := range h.DataPoints().All() {
				next, reason := histogramState(p)
				w.keep(f, p, next, reason, h.AggregationTemporality())
			}
		}
	case pmetric.MetricTypeExponentialHistogram:
		h := m.ExponentialHistogram()
		if f := w.family(m, exponential, h.AggregationTemporality(), h.DataPoints().Len()); f != nil {
			for _, p := range h.DataPoints().All() {
				next, reason := exponentialState(p)
				w.keep(f, p, next, reason, h.AggregationTemporality())
			}
		}
	case pmetric.MetricTypeSummary:
		w.refuse("summary", m.Summary().DataPoints().Len())
	}
}

func (w *intake) numbers(m pmetric.Metric, k kind, temporality pmetric.AggregationTemporality, points pmetric.NumberDataPointSlice) {
	f := w.family(m, k, temporality, points.Len())
	if f == nil {
		return
	}
	for _, p := range points.All() {
		value, reason := p.DoubleValue(), ""
		if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
			value = float64(p.IntValue())
		}
		switch {
		case !finite(value):
			reason = "not_finite"
		case k == counter && value < 0:
			reason = "negative"
		}
		w.keep(f, p, state{value: value}, reason, temporality)
	}
}

// family finds or makes what a metric's series share; nil refuses its points.
func (w *intake) family(m pmetric.Metric, k kind, temporality pmetric.AggregationTemporality, points int) *family {
	if temporality == pmetric.AggregationTemporalityUnspecified {
		w.refuse("no_temporality", points)
		return nil
	}
	name := m.Name()
	if name == "" || len(name) > maxNameBytes || strings.ToValidUTF8(name, "") != name {
		w.refuse("bad_name", points)
		return nil
	}
	if f, ok := w.families[name]; ok && f.kind.holds(k, temporality) {
		return f
	}
	exposed := exposedName(name)
	if known, ok := w.kinds[exposed]; ok && known != k {
		w.refuse("other_type", points)
		return nil
	}
	if len(w.families) >= w.maxSeries {
		w.refuse("too_many_names", points)
		return nil
	}
	f := &family{name: name, unit: bounded(m.Unit()), description: bounded(m.Description()), kind: k}
	w.families[name], w.kinds[exposed] = f, k
	return f
}

// keep puts a point into its series; a reason refuses it.
func (w *intake) keep(f *family, p point, next state, reason string, temporality pmetric.AggregationTemporality) {
	if p.Flags().NoRecordedValue() {
		return
	}
	if reason == "" && hasReservedLabel(p.Attributes(), f.kind) {
		reason = "reserved_label"
	}
	if reason == "" && p.Attributes().Len() > maxAttributes {
		reason = "too_many_attributes"
	}
	if reason != "" {
		w.refuse(reason, 1)
		return
	}
	next.start, next.at = timeOf(p.StartTimestamp()), timeOf(p.Timestamp())
	attrs := w.attributes(p.Attributes())
	key := seriesKey{f.name, attrs.Equivalent()}
	one, ok := w.series[key]
	switch {
	case !ok:
		if !w.room(w.seen) {
			w.refuse("too_many_series", 1)
			return
		}
		w.insert(key, &series{family: f, attrs: attrs, service: w.base[0].Value.AsString(), seen: w.seen, state: next})
		return
	case temporality == pmetric.AggregationTemporalityDelta:
		one.state = one.state.plus(next, f.kind)
	case next.at.Before(one.at):
		w.refuse("out_of_order", 1)
		return
	default:
		next.previous, next.previousAt = one.value, one.at
		one.state = next
	}
	one.seen = w.seen
}

func (s *Store) insert(key seriesKey, one *series) {
	s.series[key] = one
	if s.services[one.service] == nil {
		s.services[one.service] = map[*series]struct{}{}
	}
	s.services[one.service][one] = struct{}{}
}

// attributes gives a point's attributes with the resource's identity, which wins.
func (w *intake) attributes(from pcommon.Map) attribute.Set {
	pairs := make([]attribute.KeyValue, 0, from.Len()+len(w.base))
	for key, value := range from.All() {
		if text := bounded(value.AsString()); key != "" && text != "" {
			pairs = append(pairs, attribute.String(bounded(key), text))
		}
	}
	// Of equal keys a set keeps the last.
	return attribute.NewSet(append(pairs, w.base...)...)
}

func histogramState(p pmetric.HistogramDataPoint) (next state, reason string) {
	next = state{count: p.Count(), sum: p.Sum(), bounds: p.ExplicitBounds().AsRaw(), counts: p.BucketCounts().AsRaw()}
	if len(next.counts) == 0 && len(next.bounds) == 0 {
		next.counts = []uint64{next.count}
	}
	var total uint64
	for _, n := range next.counts {
		total += n
	}
	for i, bound := range next.bounds {
		if !finite(bound) || i > 0 && bound <= next.bounds[i-1] {
			return next, "bad_buckets"
		}
	}
	switch {
	case len(next.bounds) > maxBounds:
		return next, "too_many_buckets"
	case len(next.counts) != len(next.bounds)+1 || total != next.count:
		return next, "bad_buckets"
	case !finite(next.sum):
		return next, "not_finite"
	}
	return next, ""
}

func exponentialState(p pmetric.ExponentialHistogramDataPoint) (next state, reason string) {
	side := func(b pmetric.ExponentialHistogramDataPointBuckets) buckets {
		return buckets{offset: b.Offset(), counts: b.BucketCounts().AsRaw()}.trimmed()
	}
	if p.Scale() < minScale || p.Scale() > maxScale {
		return next, "bad_scale"
	}
	e := exponents{
		scale: p.Scale(), zeroCount: p.ZeroCount(), zeroThreshold: p.ZeroThreshold(),
		positive: side(p.Positive()), negative: side(p.Negative()),
	}
	total := e.zeroCount
	for _, b := range []buckets{e.positive, e.negative} {
		if !b.finite(e.scale) {
			return next, "bad_buckets"
		}
		for _, n := range b.counts {
			total += n
		}
	}
	if total != p.Count() {
		return next, "bad_buckets"
	}
	if !finite(p.Sum()) || !finite(e.zeroThreshold) {
		return next, "not_finite"
	}
	return state{count: p.Count(), sum: p.Sum(), exponents: e.fitted()}, ""
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// hasReservedLabel tells whether Prometheus could not have one of the attributes
// as a label, or would take it for a histogram's bound.
func hasReservedLabel(attrs pcommon.Map, k kind) bool {
	for key := range attrs.All() {
		if key == "le" && k >= histogram || strings.HasPrefix(key, "__") {
			return true
		}
		if key != "" && strings.Trim(exposedName(key), "_") == "" {
			return true
		}
	}
	return false
}

// bounded cuts a text to maxValueBytes of valid UTF-8.
func bounded(text string) string {
	if len(text) > maxValueBytes {
		text = text[:maxValueBytes]
	}
	return strings.Clone(strings.TrimSpace(strings.ToValidUTF8(text, "")))
}

// exposedName is the name as Prometheus will have it, without suffixes: two
// metrics that differ in it by type only cannot both be exposed.
func exposedName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

func timeOf(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}
