package snapshot

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
)

// nanos is how many of what a NanoCounter counts make one of its unit.
const nanos = 1e9

// Exposed gives the metrics by scope as they are shown: amounts of money in
// dollars, and the gauges that follow from the totals. Totals stay whole numbers
// until they are shown, so that no sum drifts. The metrics are shared: do not
// change them.
func (s *Snapshot) Exposed() []metricdata.ScopeMetrics {
	s.exposedOnce.Do(func() {
		s.exposed = make([]metricdata.ScopeMetrics, len(s.scopes), len(s.scopes)+1)
		for i, scope := range s.scopes {
			if scope.Scope.Name == instrument.MeterScope {
				scope.Metrics = inUnits(scope.Metrics)
			}
			s.exposed[i] = scope
		}
		if gauges := s.ratios(); len(gauges) > 0 {
			s.exposed = append(s.exposed, metricdata.ScopeMetrics{
				Scope: instrumentation.Scope{Name: instrument.DerivedScope}, Metrics: gauges,
			})
		}
	})
	return s.exposed
}

// inUnits gives the metrics with those in billionths of a unit in whole ones.
func inUnits(metrics []metricdata.Metrics) []metricdata.Metrics {
	metrics = slices.Clone(metrics)
	for i := range metrics {
		switch metrics[i].Name {
		case instrument.LLMCost, instrument.ChatCost:
		default:
			continue
		}
		sum, ok := metrics[i].Data.(metricdata.Sum[int64])
		if !ok {
			continue
		}
		shown := metricdata.Sum[float64]{Temporality: sum.Temporality, IsMonotonic: sum.IsMonotonic}
		for _, p := range sum.DataPoints {
			shown.DataPoints = append(shown.DataPoints, metricdata.DataPoint[float64]{
				Attributes: p.Attributes, StartTime: p.StartTime, Time: p.Time, Value: float64(p.Value) / nanos,
			})
		}
		metrics[i].Data = shown
	}
	return metrics
}

// share is a ratio in the making.
type share struct{ part, whole int64 }

// ratioOf says what one series adds to a share.
type ratioOf struct {
	gauge string
	add   func(s *share, of labels, count int64)
}

// ratioParts say what the gauges are made of.
var ratioParts = map[string]ratioOf{
	instrument.LLMTokens:         {instrument.PriceCoverage, both},
	instrument.EmbeddingTokens:   {instrument.PriceCoverage, both},
	instrument.RerankTokens:      {instrument.PriceCoverage, both},
	instrument.LLMUnpricedTokens: {instrument.PriceCoverage, func(s *share, _ labels, n int64) { s.part -= n }},

	instrument.LLMTimedStreams: {instrument.FirstTokenCoverage, func(s *share, _ labels, n int64) { s.part += n }},
	instrument.LLMStreams:      {instrument.FirstTokenCoverage, func(s *share, _ labels, n int64) { s.whole += n }},

	instrument.RetrievalSimilarity: {instrument.ScoreCoverage, both},
	instrument.RetrievalUnscored:   {instrument.ScoreCoverage, func(s *share, _ labels, n int64) { s.whole += n }},
}

func both(s *share, _ labels, n int64) {
	more(&s.part, n)
	more(&s.whole, n)
}

// usageTold says what a stream adds to the share of those that told their usage:
// one that was cut off could not have.
func usageTold(s *share, of labels, n int64) {
	switch of.get(instrument.AttrStream) {
	case "completed":
		both(s, of, n)
	case "usage_missing":
		s.whole += n
	}
}

// ratios computes the gauges of every service.
func (s *Snapshot) ratios() []metricdata.Metrics {
	shares := map[string]map[string]*share{}
	add := func(r ratioOf, of labels, n int64) {
		service := of.get(instrument.AttrService)
		if shares[r.gauge] == nil {
			shares[r.gauge] = map[string]*share{}
		}
		if shares[r.gauge][service] == nil {
			shares[r.gauge][service] = &share{}
		}
		r.add(shares[r.gauge][service], of, n)
	}
	s.eachSeries(func(name string, of labels, n int64) {
		if r, ok := ratioParts[name]; ok {
			add(r, of, n)
		}
		if name == instrument.LLMStreams {
			add(ratioOf{instrument.StreamUsageCoverage, usageTold}, of, n)
		}
	})
	var gauges []metricdata.Metrics
	for _, def := range instrument.Table() {
		if def.Scope != instrument.DerivedScope {
			continue
		}
		if points := pointsOf(shares[def.Name], s.began); len(points) > 0 {
			gauges = append(gauges, metricdata.Metrics{
				Name: def.Name, Unit: def.Unit, Description: def.Description, Data: metricdata.Gauge[float64]{DataPoints: points},
			})
		}
	}
	return gauges
}

func pointsOf(shares map[string]*share, at time.Time) (points []metricdata.DataPoint[float64]) {
	for _, service := range slices.Sorted(maps.Keys(shares)) {
		if sh := shares[service]; sh.whole > 0 {
			points = append(points, metricdata.DataPoint[float64]{
				Attributes: attribute.NewSet(attribute.String(instrument.AttrService, service)),
				Time:       at, Value: ratio(float64(max(0, sh.part)), sh.whole),
			})
		}
	}
	return points
}

// eachSeries gives the count of every series of the meter's scope.
func (s *Snapshot) eachSeries(f func(name string, of labels, count int64)) {
	for _, scope := range s.scopes {
		if scope.Scope.Name != instrument.MeterScope {
			continue
		}
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for i := range data.DataPoints {
					f(m.Name, labels{&data.DataPoints[i].Attributes}, data.DataPoints[i].Value)
				}
			case metricdata.Histogram[float64]:
				for i := range data.DataPoints {
					f(m.Name, labels{&data.DataPoints[i].Attributes}, int64(data.DataPoints[i].Count))
				}
			}
		}
	}
}
