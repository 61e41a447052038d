package snapshot

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
)

// ExposedSample is one sample of an exposition, as a database of those keeps it.
type ExposedSample struct {
	// Name is the metric's, such as treq_chat_duration_seconds_bucket.
	Name string
	// Label gives a label's value, "" where it has none.
	Label func(name string) string
	Value float64
}

// Exposed is how the meter's instruments are called in an exposition, so that
// samples of one can be read back as totals. Make it with NewExposed; it is safe
// for concurrent use.
type Exposed struct{ series map[string]exposedSeries }

// exposedSeries says what a name is part of.
type exposedSeries struct {
	def    *instrument.Definition
	part   exposedPart
	labels []string // of the definition's attributes
}

type exposedPart uint8

const (
	total exposedPart = iota
	bucketPart
	sumPart
	countPart
)

// NewExposed makes it from the table of instruments.
func NewExposed() (*Exposed, error) {
	names := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	labelNames := otlptranslator.LabelNamer{}
	e := &Exposed{map[string]exposedSeries{}}
	for _, def := range instrument.Table() {
		if def.Scope != instrument.MeterScope {
			continue
		}
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeMonotonicCounter)
		if def.Bounds != nil {
			kind = otlptranslator.MetricTypeHistogram
		}
		name, err := names.Build(otlptranslator.Metric{Name: def.Name, Unit: def.Unit, Type: kind})
		if err != nil {
			return nil, err
		}
		one := exposedSeries{def: &def}
		for _, attr := range def.Attributes {
			label, err := labelNames.Build(attr)
			if err != nil {
				return nil, err
			}
			one.labels = append(one.labels, label)
		}
		if def.Bounds == nil {
			e.series[name] = one
			continue
		}
		for suffix, part := range map[string]exposedPart{"_bucket": bucketPart, "_sum": sumPart, "_count": countPart} {
			one.part = part
			e.series[name+suffix] = one
		}
	}
	return e, nil
}

// Names lists the names that Totals reads, sorted.
func (e *Exposed) Names() []string {
	names := make([]string, 0, len(e.series))
	for name := range e.series {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Labels lists the labels that Totals reads, sorted.
func (e *Exposed) Labels() []string {
	seen := map[string]bool{"le": true}
	for _, one := range e.series {
		for _, label := range one.labels {
			seen[label] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// restoring is a series being put together from its parts.
type restoring struct {
	set     attribute.Set
	value   float64 // of a counter
	sum     float64
	count   float64
	buckets map[float64]float64 // cumulative, by upper bound
}

// Totals puts samples of one moment together. Samples of other names are left out.
func (e *Exposed) Totals(samples iter.Seq[ExposedSample]) *Snapshot {
	found := map[*instrument.Definition]map[attribute.Distinct]*restoring{}
	for x := range samples {
		of, ok := e.series[x.Name]
		if !ok {
			continue
		}
		def := of.def
		if found[def] == nil {
			found[def] = map[attribute.Distinct]*restoring{}
		}
		var pairs []attribute.KeyValue
		for i, label := range of.labels {
			if v := x.Label(label); v != "" {
				pairs = append(pairs, attribute.String(def.Attributes[i], v))
			}
		}
		set := attribute.NewSet(pairs...)
		one := found[def][set.Equivalent()]
		if one == nil {
			one = &restoring{set: set, buckets: map[float64]float64{}}
			found[def][set.Equivalent()] = one
		}
		switch of.part {
		case total:
			one.value = x.Value
		case sumPart:
			one.sum = x.Value
		case countPart:
			one.count = x.Value
		case bucketPart:
			if bound, err := strconv.ParseFloat(x.Label("le"), 64); err == nil && !math.IsInf(bound, 1) {
				one.buckets[bound] = x.Value
			}
		}
	}
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: instrument.MeterScope}}
	for def, series := range found {
		scope.Metrics = append(scope.Metrics, metricdata.Metrics{Name: def.Name, Unit: def.Unit, Data: restoredData(def, series)})
	}
	slices.SortFunc(scope.Metrics, func(a, b metricdata.Metrics) int { return strings.Compare(a.Name, b.Name) })
	return &Snapshot{scopes: []metricdata.ScopeMetrics{scope}}
}

func restoredData(def *instrument.Definition, series map[attribute.Distinct]*restoring) metricdata.Aggregation {
	switch def.Kind {
	case instrument.Histogram:
		return restoredHistogram[float64](def, series)
	case instrument.IntHistogram:
		return restoredHistogram[int64](def, series)
	}
	scale := 1.0
	if def.Kind == instrument.NanoCounter {
		scale = nanos
	}
	sum := metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
	for _, one := range series {
		sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[int64]{Attributes: one.set, Value: sumOf[int64](math.Round(one.value * scale))})
	}
	return sum
}

func restoredHistogram[N int64 | float64](def *instrument.Definition, series map[attribute.Distinct]*restoring) metricdata.Aggregation {
	h := metricdata.Histogram[N]{Temporality: metricdata.CumulativeTemporality}
	for _, one := range series {
		bounds := make([]float64, 0, len(one.buckets))
		for bound := range one.buckets {
			bounds = append(bounds, bound)
		}
		slices.Sort(bounds)
		counts := make([]uint64, len(bounds)+1)
		below := 0.0
		for i, bound := range bounds {
			counts[i] = uint64(max(0, one.buckets[bound]-below))
			below = one.buckets[bound]
		}
		counts[len(bounds)] = uint64(max(0, one.count-below))
		h.DataPoints = append(h.DataPoints, metricdata.HistogramDataPoint[N]{
			Attributes: one.set, Count: uint64(one.count), Sum: sumOf[N](one.sum),
			Bounds: def.Bounds, BucketCounts: rebucket(bounds, counts, def.Bounds),
		})
	}
	return h
}

// Since gives what was counted after a past snapshot: only series that changed.
// What is smaller than it was, as after a replay under other rules, counts as none.
func (s *Snapshot) Since(past *Snapshot) *Snapshot {
	before := newTotals(past.meterMetrics())
	since := &Snapshot{sequence: s.sequence, began: s.began, version: s.version}
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: instrument.MeterScope}}
	for _, m := range s.meterMetrics() {
		old := before.index[m.Name]
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			was, _ := old.Data.(metricdata.Sum[int64])
			m.Data = sumSince(data, was, old.points)
		case metricdata.Histogram[float64]:
			was, _ := old.Data.(metricdata.Histogram[float64])
			m.Data = histogramSince(data, was, old.points)
		case metricdata.Histogram[int64]:
			was, _ := old.Data.(metricdata.Histogram[int64])
			m.Data = histogramSince(data, was, old.points)
		}
		scope.Metrics = append(scope.Metrics, m)
	}
	since.scopes = []metricdata.ScopeMetrics{scope}
	return since
}

func (s *Snapshot) meterMetrics() []metricdata.Metrics {
	for _, scope := range s.scopes {
		if scope.Scope.Name == instrument.MeterScope {
			return scope.Metrics
		}
	}
	return nil
}

func sumSince(now, was metricdata.Sum[int64], index map[attribute.Distinct]int) metricdata.Sum[int64] {
	since := metricdata.Sum[int64]{Temporality: now.Temporality, IsMonotonic: now.IsMonotonic}
	for _, p := range now.DataPoints {
		if i, ok := index[p.Attributes.Equivalent()]; ok && i < len(was.DataPoints) {
			p.Value -= was.DataPoints[i].Value
		}
		if p.Value > 0 {
			since.DataPoints = append(since.DataPoints, p)
		}
	}
	return since
}

func histogramSince[N int64 | float64](now, was metricdata.Histogram[N], index map[attribute.Distinct]int) metricdata.Histogram[N] {
	since := metricdata.Histogram[N]{Temporality: now.Temporality}
	for _, p := range now.DataPoints {
		if i, ok := index[p.Attributes.Equivalent()]; ok && i < len(was.DataPoints) {
			old := was.DataPoints[i]
			if p.Count <= old.Count {
				continue
			}
			p.Count -= old.Count
			p.Sum = max(0, p.Sum-old.Sum)
			p.BucketCounts = slices.Clone(p.BucketCounts)
			for k, n := range old.BucketCounts {
				if k < len(p.BucketCounts) {
					p.BucketCounts[k] -= min(n, p.BucketCounts[k])
				}
			}
		}
		if p.Count > 0 {
			since.DataPoints = append(since.DataPoints, p)
		}
	}
	return since
}

// CountedSince is when the oldest total of the meter began; zero where nothing is
// counted, or nobody knows.
func (s *Snapshot) CountedSince() time.Time {
	var oldest time.Time
	see := func(t time.Time) {
		if !t.IsZero() && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	for _, m := range s.meterMetrics() {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for i := range data.DataPoints {
				see(data.DataPoints[i].StartTime)
			}
		case metricdata.Histogram[float64]:
			for i := range data.DataPoints {
				see(data.DataPoints[i].StartTime)
			}
		}
	}
	return oldest
}

// Restored tells whether totals of another process were taken over.
func (r *Reader) Restored() bool {
	restored := r.restored.Load()
	return restored != nil && len(restored.metrics) > 0
}
