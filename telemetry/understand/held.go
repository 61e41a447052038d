package understand

import (
	"time"

	"treq/telemetry"
)

// held is a span in an open fragment, packed: tens of thousands wait at a time,
// and each is read again seconds later, when nothing of it is in a cache.
type held struct {
	ID, Parent uint64
	Start, End int64
	RunID      RunID
	*shape
	Call   *callFigures   // nil but for model spans
	Search *searchFigures // nil but for searches
	frag   *fragment      // nil for a free slot
	parent int32          // slot of the parent, -1 for the fragment's top
	next   int32          // next slot of the fragment, or of the free list; -1 at the end

	Flags      Flags
	HTTPStatus uint16
	Outcome    telemetry.Outcome
	// adopted spans hang below a span that contains them, not below their parent.
	adopted bool
}

// callFigures are the numbers of a Call.
type callFigures struct {
	Tokens           telemetry.Tokens
	CostNanoUSD      int64
	Displacement     float64
	TimeToFirstToken time.Duration
	Answer           uint32 // see Call
	HasUsage         bool
	HasCost          bool
	Ordered          bool
}

// searchFigures are the numbers of a Search.
type searchFigures struct {
	Sum, Top          float64
	Documents, Scored int32
	Cache             telemetry.Cache
}

// similar tells whether the scores can be similarities.
func (s *searchFigures) similar() bool { return s.Scored > 0 && s.Top > rankFusion }

// duration is the span's, UnknownDuration if nobody told its end truthfully.
func (h *held) duration() time.Duration {
	if h.Flags.Has(Untimed) {
		return telemetry.UnknownDuration
	}
	return time.Duration(h.End - h.Start)
}

// figures keeps figures that are free, to be used again. Those of all traces are
// made in slabs, so that a span costs no allocation of its own.
type figures struct {
	calls    []*callFigures
	searches []*searchFigures
}

// slab is how many figures are made at once.
const slab = 64

func (p *figures) call() *callFigures {
	if len(p.calls) == 0 {
		made := make([]callFigures, slab)
		for i := range made {
			p.calls = append(p.calls, &made[i])
		}
	}
	last := len(p.calls) - 1
	c := p.calls[last]
	p.calls = p.calls[:last]
	return c
}

func (p *figures) search() *searchFigures {
	if len(p.searches) == 0 {
		made := make([]searchFigures, slab)
		for i := range made {
			p.searches = append(p.searches, &made[i])
		}
	}
	last := len(p.searches) - 1
	s := p.searches[last]
	p.searches = p.searches[:last]
	return s
}

// free takes the figures of a span that is done with.
func (p *figures) free(h *held) {
	if h.Call != nil {
		p.calls = append(p.calls, h.Call)
		h.Call = nil
	}
	if h.Search != nil {
		p.searches = append(p.searches, h.Search)
		h.Search = nil
	}
}

// hold packs a span into its slot.
func (a *assembly) hold(h *held, s *Span, shape *shape) {
	h.ID, h.Parent, h.Start, h.End = s.ID, s.Parent, s.Start, s.End
	h.RunID, h.shape = s.RunID, shape
	h.Flags, h.HTTPStatus, h.Outcome = s.Flags, s.HTTPStatus, s.Outcome
	h.parent, h.next, h.adopted = -1, -1, false
	switch {
	case isModel(s.Kind):
		c := &s.Call
		h.Call = a.figures.call()
		*h.Call = callFigures{
			Tokens: c.Tokens, CostNanoUSD: c.CostNanoUSD, Displacement: c.Displacement,
			TimeToFirstToken: c.TimeToFirstToken, Answer: c.Answer, HasUsage: c.HasUsage, HasCost: c.HasCost, Ordered: c.Ordered,
		}
	case isSearch(s.Kind):
		q := &s.Search
		h.Search = a.figures.search()
		*h.Search = searchFigures{Sum: q.Sum, Top: q.Top, Documents: q.Documents, Scored: q.Scored, Cache: q.Cache}
	}
}

// told gives what an explainer is told of a held span.
func (t *trace) told(h *held) *Span {
	return &Span{
		TraceID: t.id, ID: h.ID, Parent: h.Parent, Start: h.Start, End: h.End,
		Service: h.Service, Scope: h.Scope, Name: h.Name, Kind: h.Kind, SpanKind: h.SpanKind, Door: t.door,
	}
}
