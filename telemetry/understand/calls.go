package understand

import (
	"slices"

	"treq/telemetry"
	"treq/telemetry/semconv"
)

// models decides which model spans are calls; docs/semantics.md, section 4.
func (s *settling) models(t *trace) {
	for i := len(s.nodes) - 1; i >= 0; i-- {
		n := &s.nodes[i]
		if !isModel(n.span.Kind) {
			continue
		}
		s.judge(n)
		s.hand(int32(i), n)
	}
	s.answers(t)
	s.doubles(t)
	for i := len(s.nodes) - 1; i >= 0; i-- {
		s.effective(int32(i))
	}
	for i := range s.nodes {
		if r := s.nodes[i].role; r == wrapper || r == fallback {
			s.share(&s.nodes[i])
		}
	}
}

// judge gives a model span its role; those below it have theirs.
func (s *settling) judge(n *node) {
	c := n.span.Call
	llm := n.span.Kind == semconv.KindLLM
	switch {
	case llm && n.clear && s.above.flags&underCall != 0:
		n.role = counted
	case n.wraps >= 0 && n.span.Outcome == telemetry.Succeeded && n.failed && !n.ok && !n.overKept:
		n.role = fallback
		n.ok = true
	case n.wraps >= 0 || n.overKept:
		n.role = wrapper
	case llm && n.calls > 0 && !s.ofItsOwn(n):
		n.role = repeat
	default:
		n.role = call
		if n.span.Outcome == telemetry.Failed {
			n.failed, n.failedEnd = true, n.span.End
		} else {
			n.ok = true
		}
		n.eff, n.effKnown = c.Tokens, c.HasUsage
		n.lacks = !c.HasUsage
	}
}

// ofItsOwn tells whether a model span above others through a tool or agent is a
// call: it names a model or usage, and its usage is not the sum of theirs.
func (s *settling) ofItsOwn(n *node) bool {
	c := n.span.Call
	if n.span.model() == "" && !c.HasUsage {
		return false
	}
	return !(c.HasUsage && n.belowKnown && c.Tokens.Total() == n.below.Total())
}

// hand hands a judged model span's facts to the spans above it.
func (s *settling) hand(i int32, n *node) {
	if n.up >= 0 {
		if u := &s.nodes[n.up]; u.span.Kind == n.span.Kind && n.role != counted {
			n.wrapsNext = u.wraps
			u.wraps = i
			u.ok = u.ok || n.ok
			u.failed = u.failed || n.failed
			u.failedEnd = max(u.failedEnd, n.failedEnd)
		}
	}
	if n.model < 0 {
		return
	}
	m := &s.nodes[n.model]
	own := n.role == call || n.role == fallback
	m.calls += n.calls
	if own && n.span.Kind == semconv.KindLLM {
		m.calls++
	}
	if n.span.Kind != semconv.KindLLM {
		return
	}
	m.below = m.below.Add(n.below)
	m.belowKnown = m.belowKnown || n.belowKnown
	if n.role == call && n.span.Call.HasUsage {
		m.below = m.below.Add(n.span.Call.Tokens)
		m.belowKnown = true
	}
}

// window is how far apart two instrumentations may see the start and the end of one call.
const window = 5_000_000

// mostRivals bounds the calls that one is compared with, and those kept of a trace
// for comparison, so that many calls at one instant cost no more than many calls.
const mostRivals = 64

// doubles finds the calls that two instrumentations tell of, and those that one tells
// of while the other's span of the same wraps a call.
func (s *settling) doubles(t *trace) {
	s.slots = s.slots[:0]
	for i := range s.nodes {
		if n := &s.nodes[i]; (n.role == call || n.role == wrapper && n.span.Call.HasUsage) && n.span.model() != "" {
			s.slots = append(s.slots, int32(i))
		}
	}
	slices.SortFunc(s.slots, func(x, y int32) int { return order(s.nodes[x].span, s.nodes[y].span) })
	for k, x := range s.slots {
		a := &s.nodes[x]
		for j := range t.calls {
			if a.role == call && t.calls[j].same(a.span) {
				a.role = double
				break
			}
		}
		own := keptOf(a.span)
		for _, y := range s.slots[k+1 : min(len(s.slots), k+1+mostRivals)] {
			b := &s.nodes[y]
			if b.span.Start-a.span.Start > window {
				break
			}
			if (a.role != call || b.role != call && b.role != wrapper) && (a.role != wrapper || b.role != call) ||
				!own.same(b.span) || a.span.Kind != b.span.Kind || s.over(x, y) || s.over(y, x) {
				continue
			}
			if b.role == wrapper {
				a.role = double // the call that b wraps is the one
				break
			}
			b.role = double
		}
	}
}

// same tells whether a span is another view of a call.
func (k keptCall) same(s *held) bool {
	return k.Scope != s.Scope && k.Service == s.Service && k.model == s.model() && k.tokens == s.Call.Tokens &&
		near(k.start, s.Start) && near(k.end, s.End)
}

func keptOf(s *held) keptCall {
	return keptCall{s.source, s.model(), s.Start, s.End, s.Call.Tokens, s.Call.Answer}
}

func near(a, b int64) bool { return a-b <= window && b-a <= window }

// over tells whether a lies above b.
func (s *settling) over(a, b int32) bool {
	for b = s.nodes[b].parent; b > a; {
		b = s.nodes[b].parent
	}
	return b == a
}

// effective finds the usage of a wrapper: its own, else what it wraps told.
func (s *settling) effective(i int32) {
	n := &s.nodes[i]
	if n.role != wrapper && n.role != fallback {
		return
	}
	for w := n.wraps; w >= 0; w = s.nodes[w].wrapsNext {
		x := &s.nodes[w]
		if x.role == double {
			continue
		}
		n.eff = n.eff.Add(x.eff)
		n.effKnown = n.effKnown || x.effKnown
		n.lacks = n.lacks || x.lacks
	}
	if n.span.Call.HasUsage {
		n.eff, n.effKnown, n.lacks = n.span.Call.Tokens, true, false
	}
}

// share gives what a wrapper told of usage beyond that of the calls it wraps to
// the one more call that it is, or else to the last of those without usage.
func (s *settling) share(n *node) {
	usage := n.span.Call
	if !usage.HasUsage {
		return
	}
	var told telemetry.Tokens
	last := int32(-1)
	for w := n.wraps; w >= 0; w = s.nodes[w].wrapsNext {
		x := &s.nodes[w]
		if x.role == double {
			continue
		}
		if x.effKnown {
			told = told.Add(x.eff)
		}
		if x.lacks && (last < 0 || x.span.End > s.nodes[last].span.End) {
			last = w
		}
	}
	rest := less(usage.Tokens, told)
	switch {
	case n.role == fallback:
		usage.Tokens, usage.HasUsage = rest, rest.Total() > 0
	case last >= 0 && rest.Total() > 0:
		x := &s.nodes[last]
		x.span.Call.Tokens, x.span.Call.HasUsage = rest, true
		if x.role != call {
			x.span.Call.Tokens = rest.Add(x.eff)
		}
	}
}
