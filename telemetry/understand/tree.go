package understand

import (
	"slices"

	"treq/telemetry"
	"treq/telemetry/semconv"
)

// role is what a span turned out to be when its fragment closed.
type role uint8

const (
	inside     role = iota // a chain, an HTTP span, anything that is no event of its own
	call                   // a call of its kind of model
	wrapper                // wraps calls, is none
	fallback               // a wrapper that ended well over failed calls: one more call
	repeat                 // a model span above others through a tool that adds nothing
	double                 // another instrumentation's view of a call
	counted                // a late span of what was counted already
	search                 // the outermost span of a search
	searchPart             // a search inside a search
	tool                   // a tool call
)

// node is a span of the fragment being settled. Indexes are into settling.nodes,
// which hold parents before children; -1 is none.
type node struct {
	span   *held
	slot   int32
	parent int32
	role   role

	// Found from the top down.

	up       int32 // nearest model span above, nothing blocking between
	model    int32 // nearest language model span above, whatever lies between
	outer    int32 // outermost search this is part of
	clear    bool  // nothing between it and the top blocks a wrapper
	clearTop bool  // no tool or agent between it and the top
	excluded bool
	chain    int32 // outermost chain or agent at or above it below the entry
	entry    int32 // the chat it belongs to

	// Found from the bottom up, for model spans.

	wraps      int32 // first span it wraps
	wrapsNext  int32
	overKept   bool  // it wraps a call that was counted before
	calls      int32 // calls below, whatever lies between
	below      telemetry.Tokens
	belowKnown bool
	ok, failed bool  // calls it wraps, at any depth, by outcome
	failedEnd  int64 // when the last of those that failed ended
	eff        telemetry.Tokens
	effKnown   bool
	cost       int64 // nano-dollars
	event      int32 // of a call, among settling.events
	lacks      bool  // it is a call without usage, or wraps one and told none itself

	active int32 // activity at or below: model calls and searches not excluded

	// For searches, of their parts.

	inner    int32 // last inner search that ended well and told its documents
	scored   int32 // last inner search whose scores can be similarities
	reranked bool
}

// build lays the fragment out as a tree, parents before children, siblings by
// start and id.
func (s *settling) build(t *trace, f *fragment) {
	s.nodes = s.nodes[:0]
	s.slots = s.slots[:0]
	for i := f.head; i >= 0; i = t.spans[i].next {
		s.slots = append(s.slots, i)
	}
	slices.SortFunc(s.slots, func(x, y int32) int { return order(&t.spans[x], &t.spans[y]) })
	s.reparent(t, f)
	if cap(s.place) < len(t.spans) {
		s.place = make([]int32, 2*len(t.spans))
		s.first = make([]int32, 2*len(t.spans))
		s.sibling = make([]int32, 2*len(t.spans))
	}
	place, first, sibling := s.place[:len(t.spans)], s.first[:len(t.spans)], s.sibling[:len(t.spans)]
	for _, i := range s.slots {
		first[i] = -1
	}
	for k := len(s.slots) - 1; k >= 0; k-- {
		i := s.slots[k]
		if p := t.spans[i].parent; p >= 0 {
			sibling[i] = first[p]
			first[p] = i
		}
	}
	for i := f.top; i >= 0; {
		h := &t.spans[i]
		place[i] = int32(len(s.nodes))
		n := s.node()
		n.span, n.slot = h, i
		if h.parent >= 0 {
			n.parent = place[h.parent]
		}
		if first[i] >= 0 {
			i = first[i]
			continue
		}
		for i != f.top && sibling[i] < 0 {
			i = t.spans[i].parent
		}
		if i == f.top {
			break
		}
		i = sibling[i]
	}
}

// node adds a node of which nothing is known.
func (s *settling) node() *node {
	if len(s.nodes) < cap(s.nodes) {
		s.nodes = s.nodes[:len(s.nodes)+1]
	} else {
		s.nodes = append(s.nodes, node{})
	}
	n := &s.nodes[len(s.nodes)-1]
	*n = node{}
	n.parent, n.up, n.model, n.outer, n.chain, n.entry = -1, -1, -1, -1, -1, -1
	n.wraps, n.wrapsNext, n.inner, n.scored = -1, -1, -1, -1
	return n
}

// reparent puts adopted spans below their own parents where these came after all.
func (s *settling) reparent(t *trace, f *fragment) {
	for _, i := range s.slots {
		if !t.spans[i].adopted {
			continue
		}
		p := t.find(t.spans[i].Parent)
		if p < 0 || t.spans[p].frag != f {
			continue
		}
		above := p
		for above >= 0 && above != i {
			above = t.spans[above].parent
		}
		if above < 0 {
			t.spans[i].parent = p
			t.spans[i].adopted = false
		}
	}
}

// down finds what each span lies under.
func (s *settling) down(t *trace) {
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.parent < 0 {
			n.clear, n.clearTop = true, true
			n.excluded = n.span.Flags.Has(Excluded) || s.above.flags&keptExcluded != 0
			continue
		}
		p := &s.nodes[n.parent]
		kind := p.span.Kind
		n.excluded = p.excluded || n.span.Flags.Has(Excluded)
		n.clear = p.clear && !blocks(kind) && !isModel(kind)
		n.clearTop = p.clearTop && kind != semconv.KindTool && kind != semconv.KindAgent
		n.model = p.model
		if kind == semconv.KindLLM {
			n.model = n.parent
		}
		switch {
		case isModel(kind):
			n.up = n.parent
		case !blocks(kind):
			n.up = p.up
		}
		switch {
		case kind == semconv.KindTool || kind == semconv.KindAgent:
		case p.outer >= 0:
			n.outer = p.outer
		case isSearch(kind):
			n.outer = n.parent
		}
	}
}
