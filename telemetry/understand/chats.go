package understand

import (
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// chat is a chat of the fragment being settled.
type chat struct {
	node          int32
	kept          int32 // its index in the trace's chats
	end           int64
	calls, tokens int64
	cost          int64
	ok, failed    int64
	rag           telemetry.Evidence
	callError     string
	callEnd       int64
	chainEnd      int64
	chainFailed   bool
	chainError    string
	active        bool
}

// choose finds the entries of the fragment, by the first rule of
// docs/semantics.md, section 3, that applies.
func (s *settling) choose() {
	s.chats = s.chats[:0]
	s.activity()
	if s.marked() {
		return
	}
	all := s.nodes[0].active
	if all == 0 {
		return
	}
	if !s.server(all) && !s.top() {
		s.chains()
		if s.config.BareLLM {
			s.bare()
		}
	}
}

// activity counts the model calls and searches at or below each span.
func (s *settling) activity() {
	for i := len(s.nodes) - 1; i >= 0; i-- {
		n := &s.nodes[i]
		if n.isActivity() && !n.excluded {
			n.active++
		}
		if n.parent >= 0 {
			s.nodes[n.parent].active += n.active
		}
	}
}

// isActivity tells whether a span is a model call or a search.
func (n *node) isActivity() bool { return n.role == search || n.isCall() }

// isCall tells whether a span is a call of a language model.
func (n *node) isCall() bool {
	return n.span.Kind == semconv.KindLLM && (n.role == call || n.role == fallback)
}

// marked is rule 1: the outermost spans that are marked or named by a rule.
func (s *settling) marked() bool {
	any := false
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.parent >= 0 {
			n.entry = s.nodes[n.parent].entry
		}
		if n.entry < 0 && n.span.Flags.Has(Entry) && n.span.Flags&(Excluded|Unusable) == 0 {
			s.enter(int32(i))
			any = true
		}
	}
	return any
}

// enter makes a span an entry.
func (s *settling) enter(i int32) {
	s.nodes[i].entry = int32(len(s.chats))
	s.chats = append(s.chats, chat{node: i, kept: -1})
}

// eligible tells whether a span may be an entry by any rule but the first.
func (n *node) eligible() bool {
	return !n.excluded && n.span.Flags&(Governed|Unusable) == 0
}

// server is rule 2: the lowest SERVER span above all model calls and retrievals.
func (s *settling) server(all int32) bool {
	for i := len(s.nodes) - 1; i >= 0; i-- {
		n := &s.nodes[i]
		if n.span.SpanKind == otlp.KindServer && n.active == all && !n.isActivity() &&
			n.eligible() && !n.span.Flags.Has(Session) {
			s.enter(int32(i))
			s.spread()
			return true
		}
	}
	return false
}

// top is rule 3: the fragment's top span.
func (s *settling) top() bool {
	n := &s.nodes[0]
	kind := n.span.Kind
	if n.span.SpanKind == otlp.KindConsumer || isModel(kind) || isSearch(kind) || kind == semconv.KindVectorStore ||
		!n.eligible() || n.span.Flags.Has(Session) {
		return false
	}
	s.enter(0)
	s.spread()
	return true
}

// chains is rule 4: each outermost chain, workflow or agent above a model call or retrieval.
func (s *settling) chains() {
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.parent >= 0 {
			n.entry = s.nodes[n.parent].entry
		}
		if n.entry < 0 && isChain(n.span.Kind) && n.active > 0 && n.eligible() {
			s.enter(int32(i))
		}
	}
}

// bare is rule 5: each model call left over, with the model spans above it.
func (s *settling) bare() {
	s.spread()
	for i := range s.nodes {
		n := &s.nodes[i]
		if !n.isCall() || n.entry >= 0 || !n.eligible() {
			continue
		}
		outermost := int32(i)
		for m := n.model; m >= 0 && s.nodes[m].entry < 0 && s.nodes[m].eligible(); m = s.nodes[m].model {
			outermost = m
		}
		s.enter(outermost)
		for j := outermost + 1; int(j) < len(s.nodes) && s.nodes[j].parent >= outermost; j++ {
			if b := &s.nodes[j]; b.entry < 0 {
				b.entry = s.nodes[b.parent].entry
			}
		}
	}
}

// spread gives each span the entry of the span above it.
func (s *settling) spread() {
	for i := range s.nodes {
		if n := &s.nodes[i]; n.parent >= 0 && n.entry < 0 {
			n.entry = s.nodes[n.parent].entry
		}
	}
}

// gather adds up what the spans below each entry tell of its chat.
func (s *settling) gather() {
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.entry < 0 {
			continue
		}
		c := &s.chats[n.entry]
		c.cost = telemetry.Plus(c.cost, n.cost)
		if n.parent >= 0 && c.node != int32(i) {
			n.chain = s.nodes[n.parent].chain
		}
		if c.node == int32(i) {
			c.end = n.span.End
		}
		if n.chain < 0 && isChain(n.span.Kind) {
			n.chain = int32(i)
			if c.node != int32(i) && n.span.End >= c.chainEnd {
				c.chainEnd = n.span.End
				c.chainFailed, c.chainError = n.span.Outcome == telemetry.Failed, n.span.ErrorType
			}
		}
		switch {
		case n.role == search:
			c.active = true
			c.rag = max(c.rag, s.result(n))
		case n.isCall():
			s.gatherCall(c, n)
		}
	}
}

func (s *settling) gatherCall(c *chat, n *node) {
	c.active = true
	c.calls++
	if n.span.Call.HasUsage {
		c.tokens = telemetry.Plus(c.tokens, n.span.Call.Tokens.Total())
	}
	if n.role == call && n.span.Outcome == telemetry.Failed {
		c.failed++
		if n.span.End >= c.callEnd {
			c.callEnd, c.callError = n.span.End, n.span.ErrorType
		}
	} else {
		c.ok++
	}
	if n.span.Flags.Has(Streamed) && !n.span.Flags.Has(Untimed) {
		c.end = max(c.end, n.span.End)
	}
}

// result gives the evidence of a search.
func (s *settling) result(n *node) telemetry.Evidence {
	if n.span.Search.Documents < 0 && n.inner >= 0 {
		return evidence(s.nodes[n.inner].span.Search)
	}
	return evidence(n.span.Search)
}

// event fills in the chat's event.
func (s *settling) event(c *chat, e *telemetry.Chat) {
	sp := s.nodes[c.node].span
	*e = telemetry.Chat{}
	s.origin(sp, &e.Origin)
	e.Duration, e.RAG, e.LLMCalls, e.Tokens, e.CostNanoUSD = sp.duration(), c.rag, c.calls, c.tokens, c.cost
	if c.end > sp.End {
		e.Duration = time.Duration(c.end - sp.Start)
	}
	e.Outcome = telemetry.Failed
	switch {
	case sp.Outcome == telemetry.Failed:
		e.ErrorType = sp.ErrorType
	case sp.HTTPStatus >= 400:
		e.ErrorType = s.statuses.get(sp.HTTPStatus)
	case c.ok == 0 && c.failed > 0:
		e.ErrorType = c.callError
	case c.chainFailed:
		e.ErrorType = c.chainError
	default:
		e.Outcome = telemetry.Succeeded
	}
}
