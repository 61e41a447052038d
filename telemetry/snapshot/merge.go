package snapshot

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
	"treq/telemetry/instrument"
)

// totals are the restored metrics of the meter's scope. They never change.
type totals struct {
	metrics []metricdata.Metrics
	index   map[string]restoredMetric // by name
}

// restoredMetric is one metric with its points by attribute set.
type restoredMetric struct {
	metricdata.Metrics
	points map[attribute.Distinct]int
	// resumed tells that live sums go on from the restored ones, and include them.
	resumed bool
}

func newTotals(metrics []metricdata.Metrics) *totals {
	t := &totals{metrics: metrics, index: make(map[string]restoredMetric, len(metrics))}
	for _, m := range metrics {
		restored := restoredMetric{Metrics: m, points: map[attribute.Distinct]int{}}
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for i := range data.DataPoints {
				restored.points[data.DataPoints[i].Attributes.Equivalent()] = i
			}
		case metricdata.Histogram[float64]:
			for i := range data.DataPoints {
				restored.points[data.DataPoints[i].Attributes.Equivalent()] = i
			}
		case metricdata.Histogram[int64]:
			for i := range data.DataPoints {
				restored.points[data.DataPoints[i].Attributes.Equivalent()] = i
			}
		}
		t.index[m.Name] = restored
	}
	return t
}

// resume lets the instruments' sums go on from the restored ones.
func (t *totals) resume(in *instrument.Instruments) {
	for _, def := range instrument.Table() {
		if def.Scope != instrument.MeterScope || def.Kind != instrument.Histogram {
			continue
		}
		restored, ok := t.index[def.Name]
		sums := map[attribute.Distinct]float64{}
		if data, isFloat := restored.Data.(metricdata.Histogram[float64]); isFloat {
			for i := range data.DataPoints {
				sums[data.DataPoints[i].Attributes.Equivalent()] = data.DataPoints[i].Sum
			}
		}
		if restored.resumed = in.Resume(def.Name, sums); ok {
			t.index[def.Name] = restored
		}
	}
}

// addTo adds the totals to freshly collected scopes, which it may change.
func (t *totals) addTo(scopes []metricdata.ScopeMetrics, now time.Time) []metricdata.ScopeMetrics {
	at := -1
	for i := range scopes {
		if scopes[i].Scope.Name == instrument.MeterScope {
			at = i
		}
	}
	if at < 0 {
		at = len(scopes)
		scopes = append(scopes, metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: instrument.MeterScope}})
	}
	live := scopes[at].Metrics
	seen := make(map[string]bool, len(live))
	for i := range live {
		seen[live[i].Name] = true
		if restored, ok := t.index[live[i].Name]; ok {
			live[i].Data = restored.join(live[i].Data, now)
		}
	}
	for _, m := range t.metrics {
		if !seen[m.Name] {
			m.Data = t.index[m.Name].join(nil, now)
			live = append(live, m)
		}
	}
	scopes[at].Metrics = live
	return scopes
}

// join gives the live data with the restored points added; nil is no live data.
// Restore has made both of the table's kind and bounds.
func (m restoredMetric) join(live metricdata.Aggregation, now time.Time) metricdata.Aggregation {
	switch old := m.Data.(type) {
	case metricdata.Sum[int64]:
		if live == nil {
			live = metricdata.Sum[int64]{Temporality: old.Temporality, IsMonotonic: old.IsMonotonic}
		}
		if sum, ok := live.(metricdata.Sum[int64]); ok {
			return m.joinSums(sum, old, now)
		}
	case metricdata.Histogram[float64]:
		return joinHistograms(m, live, old, now)
	case metricdata.Histogram[int64]:
		return joinHistograms(m, live, old, now)
	}
	return live
}

func (m restoredMetric) joinSums(live, old metricdata.Sum[int64], now time.Time) metricdata.Sum[int64] {
	joined := make([]bool, len(old.DataPoints))
	for i := range live.DataPoints {
		point := &live.DataPoints[i]
		if j, ok := m.points[point.Attributes.Equivalent()]; ok {
			joined[j] = true
			more(&point.Value, old.DataPoints[j].Value)
			point.StartTime = old.DataPoints[j].StartTime
		}
	}
	for j, done := range joined {
		if !done {
			point := old.DataPoints[j]
			point.Time = now
			live.DataPoints = append(live.DataPoints, point)
		}
	}
	return live
}

func joinHistograms[N int64 | float64](
	restored restoredMetric, data metricdata.Aggregation, old metricdata.Histogram[N], now time.Time,
) metricdata.Aggregation {
	live, ok := data.(metricdata.Histogram[N])
	if data == nil {
		live, ok = metricdata.Histogram[N]{Temporality: old.Temporality}, true
	}
	if !ok {
		return data
	}
	joined := make([]bool, len(old.DataPoints))
	for i := range live.DataPoints {
		point := &live.DataPoints[i]
		j, ok := restored.points[point.Attributes.Equivalent()]
		if !ok || len(old.DataPoints[j].BucketCounts) != len(point.BucketCounts) {
			continue
		}
		joined[j] = true
		point.Count += old.DataPoints[j].Count
		if !restored.resumed {
			joinSum(&point.Sum, old.DataPoints[j].Sum)
		}
		point.StartTime = old.DataPoints[j].StartTime
		for k, n := range old.DataPoints[j].BucketCounts {
			point.BucketCounts[k] += n
		}
	}
	for j, done := range joined {
		if !done {
			point := old.DataPoints[j]
			point.Time = now
			live.DataPoints = append(live.DataPoints, point)
		}
	}
	return live
}

// joinSum adds a sum to one, and stops at the largest number where they are whole.
func joinSum[N int64 | float64](to *N, sum N) {
	if whole, ok := any(to).(*int64); ok {
		more(whole, int64(sum))
		return
	}
	*to += sum
}

// more adds a count or an amount to one; see telemetry.Plus.
func more[N ~int64](to *N, n N) { *to = N(telemetry.Plus(int64(*to), int64(n))) }
