package treqconnector

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"

	"treq/telemetry/instrument"
)

// nanos is how many of what a NanoCounter counts make one of its unit.
const nanos = 1e9

// encode gives instruments as one resource with a scope for each of theirs.
// Amounts of money are in dollars, as the product shows them.
func encode(metrics []instrument.Metric, started, now time.Time, version string) pmetric.Metrics {
	out := pmetric.NewMetrics()
	scopes := out.ResourceMetrics().AppendEmpty().ScopeMetrics()
	at := times{pcommon.NewTimestampFromTime(started), pcommon.NewTimestampFromTime(now)}
	for i := range metrics {
		m := &metrics[i]
		if scopes.Len() == 0 || scopes.At(scopes.Len()-1).Scope().Name() != m.Scope {
			scope := scopes.AppendEmpty().Scope()
			scope.SetName(m.Scope)
			scope.SetVersion(version)
		}
		one := scopes.At(scopes.Len() - 1).Metrics().AppendEmpty()
		one.SetName(m.Name)
		one.SetUnit(m.Unit)
		one.SetDescription(m.Description)
		switch m.Kind {
		case instrument.Histogram, instrument.IntHistogram:
			at.histogram(m, one.SetEmptyHistogram())
		default:
			at.sum(m, one.SetEmptySum())
		}
	}
	return out
}

// times are those that all points of an emission share.
type times struct{ started, now pcommon.Timestamp }

func (at times) sum(m *instrument.Metric, sum pmetric.Sum) {
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(m.Kind != instrument.ObservableUpDown)
	sum.DataPoints().EnsureCapacity(len(m.Points))
	for i := range m.Points {
		p := &m.Points[i]
		point := sum.DataPoints().AppendEmpty()
		label(point.Attributes(), p.Attributes)
		point.SetStartTimestamp(at.started)
		point.SetTimestamp(at.now)
		if m.Kind == instrument.NanoCounter {
			point.SetDoubleValue(float64(p.Total) / nanos)
		} else {
			point.SetIntValue(p.Total)
		}
	}
}

func (at times) histogram(m *instrument.Metric, h pmetric.Histogram) {
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	h.DataPoints().EnsureCapacity(len(m.Points))
	for i := range m.Points {
		p := &m.Points[i]
		point := h.DataPoints().AppendEmpty()
		label(point.Attributes(), p.Attributes)
		point.SetStartTimestamp(at.started)
		point.SetTimestamp(at.now)
		point.SetCount(p.Count)
		point.ExplicitBounds().FromRaw(m.Bounds)
		point.BucketCounts().FromRaw(p.Buckets)
		if m.Kind == instrument.IntHistogram {
			point.SetSum(float64(p.Total))
		} else {
			point.SetSum(p.Sum)
		}
		for k := range p.Exemplars {
			e := &p.Exemplars[k]
			exemplar := point.Exemplars().AppendEmpty()
			exemplar.SetTimestamp(pcommon.NewTimestampFromTime(e.At))
			exemplar.SetTraceID(e.TraceID)
			exemplar.SetSpanID(e.SpanID)
			if m.Kind == instrument.IntHistogram {
				exemplar.SetIntValue(int64(e.Value))
			} else {
				exemplar.SetDoubleValue(e.Value)
			}
		}
	}
}

// label copies attributes; the instruments have none but text.
func label(to pcommon.Map, from attribute.Set) {
	to.EnsureCapacity(from.Len())
	for i := from.Iter(); i.Next(); {
		kv := i.Attribute()
		to.PutStr(string(kv.Key), kv.Value.AsString())
	}
}
