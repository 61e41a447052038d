package reported

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"

	"treq/telemetry"
)

// The checkpoint is an OTLP metrics message: a resource for each service and
// instance, all points cumulative. What OTLP has no field for stands in
// attributes of the resource and in a scope of the store's own.
const (
	stateScope  = "treq/reported/state"
	attrSeen    = "treq.seen"
	attrReason  = "treq.reason"
	refusedName = "refused"
)

// MarshalBinary gives everything that is kept, for the checkpoint. The bytes are
// shared: do not change them.
func (s *Store) MarshalBinary() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved != nil {
		return s.saved, nil
	}
	message := pmetric.NewMetrics()
	own := message.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	own.Scope().SetName(stateScope)
	refused := own.Metrics().AppendEmpty()
	refused.SetName(refusedName)
	sum := refused.SetEmptySum()
	for reason, n := range s.refused {
		p := sum.DataPoints().AppendEmpty()
		p.SetIntValue(n)
		p.Attributes().PutStr(attrReason, reason)
	}
	scopes := map[origin]pmetric.ScopeMetrics{}
	metrics := map[placed]pmetric.Metric{}
	names, byName := s.sorted()
	for _, name := range names {
		for _, one := range byName[name] {
			at := placed{originOf(one), one.family}
			m, ok := metrics[at]
			if !ok {
				m = scopeOf(message, scopes, at.origin).Metrics().AppendEmpty()
				metrics[at] = m
				one.family.declare(m)
			}
			one.encode(m)
		}
	}
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(message)
	if err != nil {
		return nil, fmt.Errorf("reported: state: %w", err)
	}
	s.saved = data
	return data, nil
}

// UnmarshalBinary replaces what is kept by what MarshalBinary gave. On an error
// nothing has changed.
func (s *Store) UnmarshalBinary(data []byte) error {
	message, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
	if err != nil {
		return &telemetry.Error{Message: "the state of reported metrics does not decode", Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	for _, resource := range message.ResourceMetrics().All() {
		seen, _ := resource.Resource().Attributes().Get(attrSeen)
		w := intake{Store: s, seen: time.Unix(0, seen.Int()), base: identity(resource.Resource().Attributes())}
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if scope.Scope().Name() == stateScope {
					s.restoreRefused(m)
					continue
				}
				w.metric(m)
			}
		}
	}
	return nil
}

func (s *Store) restoreRefused(m pmetric.Metric) {
	if m.Name() != refusedName || m.Type() != pmetric.MetricTypeSum {
		return
	}
	for _, p := range m.Sum().DataPoints().All() {
		if reason, ok := p.Attributes().Get(attrReason); ok {
			s.refused[reason.AsString()] += p.IntValue()
		}
	}
}

// origin is what the series of one resource of the checkpoint share.
type origin struct {
	service, instance string
	seen              int64
}

type placed struct {
	origin
	*family
}

func originOf(one *series) origin {
	instance, _ := one.attrs.Value(attrInstance)
	return origin{one.service, instance.AsString(), one.seen.UnixNano()}
}

func scopeOf(message pmetric.Metrics, scopes map[origin]pmetric.ScopeMetrics, at origin) pmetric.ScopeMetrics {
	scope, ok := scopes[at]
	if !ok {
		resource := message.ResourceMetrics().AppendEmpty()
		attrs := resource.Resource().Attributes()
		attrs.PutStr(attrService, at.service)
		if at.instance != "" {
			attrs.PutStr(attrInstance, at.instance)
		}
		attrs.PutInt(attrSeen, at.seen)
		scope = resource.ScopeMetrics().AppendEmpty()
		scopes[at] = scope
	}
	return scope
}

// declare makes a metric of the family's kind.
func (f *family) declare(m pmetric.Metric) {
	m.SetName(f.name)
	m.SetUnit(f.unit)
	m.SetDescription(f.description)
	const cumulative = pmetric.AggregationTemporalityCumulative
	switch f.kind {
	case gauge:
		m.SetEmptyGauge()
	case counter, updown:
		sum := m.SetEmptySum()
		sum.SetAggregationTemporality(cumulative)
		sum.SetIsMonotonic(f.kind == counter)
	case histogram:
		m.SetEmptyHistogram().SetAggregationTemporality(cumulative)
	case exponential:
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(cumulative)
	}
}

func (one *series) encode(m pmetric.Metric) {
	switch one.kind {
	case gauge:
		one.encodeNumber(m.Gauge().DataPoints().AppendEmpty())
	case counter, updown:
		one.encodeNumber(m.Sum().DataPoints().AppendEmpty())
	case histogram:
		p := m.Histogram().DataPoints().AppendEmpty()
		one.encodeIdentity(p.Attributes(), p.SetStartTimestamp, p.SetTimestamp)
		p.SetCount(one.count)
		p.SetSum(one.sum)
		p.ExplicitBounds().FromRaw(one.bounds)
		p.BucketCounts().FromRaw(one.counts)
	case exponential:
		p := m.ExponentialHistogram().DataPoints().AppendEmpty()
		one.encodeIdentity(p.Attributes(), p.SetStartTimestamp, p.SetTimestamp)
		p.SetCount(one.count)
		p.SetSum(one.sum)
		p.SetScale(one.scale)
		p.SetZeroCount(one.zeroCount)
		p.SetZeroThreshold(one.zeroThreshold)
		p.Positive().SetOffset(one.positive.offset)
		p.Positive().BucketCounts().FromRaw(one.positive.counts)
		p.Negative().SetOffset(one.negative.offset)
		p.Negative().BucketCounts().FromRaw(one.negative.counts)
	}
}

func (one *series) encodeNumber(p pmetric.NumberDataPoint) {
	one.encodeIdentity(p.Attributes(), p.SetStartTimestamp, p.SetTimestamp)
	p.SetDoubleValue(one.value)
}

func (one *series) encodeIdentity(attrs pcommon.Map, start, at func(pcommon.Timestamp)) {
	for _, kv := range one.attrs.ToSlice() {
		if kv.Key != attribute.Key(attrService) && kv.Key != attribute.Key(attrInstance) {
			attrs.PutStr(string(kv.Key), kv.Value.AsString())
		}
	}
	start(timestampOf(one.start))
	at(timestampOf(one.at))
}

func timestampOf(t time.Time) pcommon.Timestamp {
	if t.IsZero() {
		return 0
	}
	return pcommon.NewTimestampFromTime(t)
}
