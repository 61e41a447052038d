package server

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/snapshot"
)

// quality says how far the numbers can be trusted.
type quality struct {
	snapshot func(context.Context) (*snapshot.Snapshot, error)
	sinks    func() []sinkLag
	journal  func() journal.Stats

	mu   sync.Mutex
	seen map[string]activity // by service
}

// activity is when a service's count was last found to have grown.
type activity struct {
	count uint64
	at    time.Time // zero until it grew under this process's eyes
}

type qualityDocument struct {
	Services []serviceQuality `json:"services"`
	Sinks    []sinkLag        `json:"sinks"`
	// Unmapped are attributes of GenAI dialects that nobody here reads, the most
	// frequent first.
	Unmapped      []unmapped `json:"unmapped_attributes"`
	UnmappedTotal int64      `json:"unmapped_attributes_total"`
	// Flow is what came in and what became of it; nil where it could not be read.
	Flow *flow `json:"flow"`
}

// serviceQuality is about one service; a share is nil where there is nothing to
// divide by, an age where nothing came since the process started.
type serviceQuality struct {
	Service               string   `json:"service"`
	LastSeenSeconds       *float64 `json:"last_seen_seconds"`
	UnpricedTokens        *float64 `json:"unpriced_tokens_ratio"`
	StreamsWithoutUsage   *float64 `json:"streams_without_usage_ratio"`
	SearchesWithoutScores *float64 `json:"searches_without_scores_ratio"`
}

type sinkLag struct {
	Sink  string  `json:"sink"`
	State string  `json:"state"`
	Lag   float64 `json:"lag_seconds"`
	Spans int64   `json:"waiting_spans"`
}

type unmapped struct {
	Attribute string `json:"attribute"`
	Count     int64  `json:"count"`
}

// mostUnmapped is how many attributes the document names.
const mostUnmapped = 20

func newQuality(p *parts) *quality {
	return &quality{
		seen:     map[string]activity{},
		snapshot: p.reader.Snapshot,
		journal:  p.journal.Stats,
		sinks: func() []sinkLag {
			list := []sinkLag{}
			for _, s := range p.sinks.Status() {
				list = append(list, sinkLag{s.Name, string(s.State), s.OldestAgeSeconds, s.QueueSpans})
			}
			return list
		},
	}
}

// look notes which services told anything since it was called last.
func (q *quality) look(ctx context.Context, now time.Time) {
	snap, err := q.snapshot(ctx)
	if err != nil {
		return // the collection's own users say so
	}
	counts := countsByService(snap)
	q.mu.Lock()
	defer q.mu.Unlock()
	for service, n := range counts {
		before, known := q.seen[service]
		switch {
		case !known && len(q.seen) == 0:
			// What was there at the first look came at any time before.
		case !known || n > before.count:
			before.at = now
		}
		before.count = n
		q.seen[service] = before
	}
	if len(q.seen) == 0 {
		q.seen[""] = activity{} // the first look found none: those to come are fresh
	}
}

// countsByService adds up everything that was counted of each service.
func countsByService(snap *snapshot.Snapshot) map[string]uint64 {
	counts := map[string]uint64{}
	add := func(of attribute.Set, n uint64) {
		if v, ok := of.Value(instrument.AttrService); ok {
			counts[v.AsString()] += n
		}
	}
	for _, scope := range snap.Scopes() {
		if scope.Scope.Name != instrument.MeterScope {
			continue
		}
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, uint64(max(0, p.Value)))
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Count)
				}
			}
		}
	}
	return counts
}

// shares are the derived gauges that the document tells the rest of.
var shares = map[string]func(*serviceQuality, *float64){
	instrument.PriceCoverage:       func(s *serviceQuality, v *float64) { s.UnpricedTokens = v },
	instrument.StreamUsageCoverage: func(s *serviceQuality, v *float64) { s.StreamsWithoutUsage = v },
	instrument.ScoreCoverage:       func(s *serviceQuality, v *float64) { s.SearchesWithoutScores = v },
}

// document tells of now, as far as it can be had.
func (q *quality) document(ctx context.Context, now time.Time) any {
	q.look(ctx, now)
	doc := qualityDocument{Services: []serviceQuality{}, Sinks: q.sinks(), Unmapped: []unmapped{}}
	snap, err := q.snapshot(ctx)
	if err != nil {
		return doc
	}
	moved := flowOf(snap, q.journal())
	doc.Flow = &moved
	services := map[string]*serviceQuality{}
	q.mu.Lock()
	for name, a := range q.seen {
		if name == "" {
			continue
		}
		s := &serviceQuality{Service: name}
		if !a.at.IsZero() {
			age := max(0, now.Sub(a.at).Seconds())
			s.LastSeenSeconds = &age
		}
		services[name] = s
	}
	q.mu.Unlock()
	for _, scope := range snap.Exposed() {
		for _, m := range scope.Metrics {
			if set := shares[m.Name]; set != nil && scope.Scope.Name == instrument.DerivedScope {
				eachShare(m, services, set)
			}
			if m.Name == instrument.PipelineUnmapped {
				doc.Unmapped, doc.UnmappedTotal = unmappedOf(m)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		doc.Services = append(doc.Services, *services[name])
	}
	return doc
}

func eachShare(m metricdata.Metrics, services map[string]*serviceQuality, set func(*serviceQuality, *float64)) {
	gauge, ok := m.Data.(metricdata.Gauge[float64])
	if !ok {
		return
	}
	for _, p := range gauge.DataPoints {
		v, _ := p.Attributes.Value(instrument.AttrService)
		if s := services[v.AsString()]; s != nil {
			without := 1 - p.Value
			set(s, &without)
		}
	}
}

func unmappedOf(m metricdata.Metrics) (list []unmapped, total int64) {
	list = []unmapped{}
	sum, ok := m.Data.(metricdata.Sum[int64])
	if !ok {
		return list, 0
	}
	for _, p := range sum.DataPoints {
		v, _ := p.Attributes.Value(instrument.AttrAttribute)
		list = append(list, unmapped{v.AsString(), p.Value})
		total += p.Value
	}
	slices.SortFunc(list, func(a, b unmapped) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Attribute, b.Attribute))
	})
	return list[:min(len(list), mostUnmapped)], total
}
