package understand

import (
	"encoding/binary"
	"strconv"
	"time"

	"treq/telemetry"
	"treq/telemetry/semconv"
)

// settling decides what a closed fragment counts for and tells the recorder. Its
// lists are used again from one fragment to the next.
type settling struct {
	config   *Config
	nodes    []node
	slots    []int32
	place    []int32
	first    []int32
	sibling  []int32
	chats    []chat
	trace    *trace
	above    kept // the kept span above the fragment, id 0 if there is none
	tally    []tally
	statuses statuses
	rejected rejections

	events         []telemetry.LLMCall // of all calls, of whatever kind
	chatEvent      telemetry.Chat
	addition       telemetry.ChatAddition
	retrievalEvent telemetry.Retrieval
	embedding      telemetry.Embedding
	rerank         telemetry.Rerank
	toolEvent      telemetry.ToolCall
}

// tally counts the spans of one disposition.
type tally struct {
	disposition telemetry.Disposition
	reason      string
	service     string
	n           int64
}

// close settles a fragment. host is the kept span that contains it, -1 if none.
func (s *settling) close(a *assembly, t *trace, f *fragment, host int32) {
	s.tally, s.trace = s.tally[:0], t
	if !f.genai && !t.touches(f, host) {
		for i := f.head; i >= 0; i = t.spans[i].next {
			s.dispose(a, &t.spans[i], telemetry.NotGenAI, "", verdict{})
		}
		s.tell(a)
		return
	}
	a.pool.closed(t)
	s.build(t, f)
	into, late := s.connect(t, host)
	s.down(t)
	if late {
		s.overKept(t)
	}
	s.models(t)
	s.price()
	s.searches()
	s.roles()
	if late && into >= 0 {
		s.chats = s.chats[:0]
		s.add(a, t, into)
	} else {
		s.choose()
		s.gather()
		s.tellChats(a, t)
	}
	s.tellEvents(a, late)
	if late {
		a.rec.Late(int64(len(s.nodes)))
	}
	s.rejected.tell(a.rec)
	s.tell(a)
	s.remember(a, t, into)
}

// roles gives the spans that are neither model spans nor searches their roles.
func (s *settling) roles() {
	for i := range s.nodes {
		if n := &s.nodes[i]; n.span.Kind == semconv.KindTool {
			n.role = tool
		}
	}
}

// tellChats records the fragment's chats and notes its entries.
func (s *settling) tellChats(a *assembly, t *trace) {
	for i := range s.chats {
		c := &s.chats[i]
		sp := s.nodes[c.node].span
		k := keptChat{run: sp.RunID, service: sp.Service, calls: c.calls, tokens: c.tokens}
		if k.run == (RunID{}) {
			k.run = runOfSpan(sp.ID)
		}
		a.entries.note(sp.Service, sp.Name, true)
		if a.config.ChatsFrom != FromAPI {
			k.counts = true
			if p, posted := a.runs.claim(k.run, runOfSpan(sp.ID), RunID(t.id)); posted {
				k.creditCalls, k.creditTokens = p.calls, p.tokens
				s.addTo(a, &k, c.calls, c.tokens, c.cost)
			} else {
				s.event(c, &s.chatEvent)
				a.rec.Chat(&s.chatEvent)
				a.stats.ChatsFromTraces++
			}
		}
		c.kept = int32(len(t.chats))
		t.chats = append(t.chats, k)
		a.runs.trace(k.run, t, c.kept)
	}
	s.scattered(a)
	if top := &s.nodes[0]; len(s.chats) == 0 && top.active > 0 {
		a.entries.note(top.span.Service, top.span.Name, false)
	}
}

// scattered adds to the chats of a service the calls that no chat of it holds,
// where rules name its entries: a streamed answer's calls are traces of their own.
func (s *settling) scattered(a *assembly) {
	if a.config.ChatsFrom == FromAPI {
		return
	}
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.entry >= 0 || n.excluded || !n.span.Flags.Has(Governed) {
			continue
		}
		s.addition = telemetry.ChatAddition{Service: n.span.Service, CostNanoUSD: n.cost}
		if n.isCall() {
			s.addition.LLMCalls = 1
			if n.span.Call.HasUsage {
				s.addition.Tokens = n.span.Call.Tokens.Total()
			}
		}
		if s.addition.LLMCalls > 0 || s.addition.CostNanoUSD > 0 {
			a.rec.ChatAddition(&s.addition)
		}
	}
}

// add adds the calls of late spans to a chat that was counted.
func (s *settling) add(a *assembly, t *trace, into int32) {
	var calls, tokens, cost int64
	for i := range s.nodes {
		cost = telemetry.Plus(cost, s.nodes[i].cost)
		if n := &s.nodes[i]; n.isCall() {
			calls++
			if n.span.Call.HasUsage {
				tokens = telemetry.Plus(tokens, n.span.Call.Tokens.Total())
			}
		}
	}
	k := &t.chats[into]
	k.calls += calls
	k.tokens = telemetry.Plus(k.tokens, tokens)
	s.addTo(a, k, calls, tokens, cost)
}

// addTo tells an addition to a chat, less what a POST counted in advance.
// A POST tells no cost.
func (s *settling) addTo(a *assembly, k *keptChat, calls, tokens, cost int64) {
	credit := min(calls, k.creditCalls)
	k.creditCalls -= credit
	calls -= credit
	credit = min(tokens, k.creditTokens)
	k.creditTokens -= credit
	tokens -= credit
	if !k.counts || calls == 0 && tokens == 0 && cost == 0 {
		return
	}
	s.addition = telemetry.ChatAddition{Service: k.service, LLMCalls: calls, Tokens: tokens, CostNanoUSD: cost}
	a.rec.ChatAddition(&s.addition)
}

// tellEvents records the events of the fragment's spans and tallies all spans.
func (s *settling) tellEvents(a *assembly, late bool) {
	for i := range s.nodes {
		n := &s.nodes[i]
		d, reason := telemetry.Recorded, ""
		switch n.role {
		case call, fallback:
			reason = s.tellCall(a, n)
		case search:
			s.retrieval(n, &s.retrievalEvent)
			a.rec.Retrieval(&s.retrievalEvent)
			reason = "retrieval"
		case tool:
			s.toolEvent = telemetry.ToolCall{
				Duration: n.span.duration(), Outcome: n.span.Outcome, ErrorType: n.span.ErrorType, Tool: n.span.Tool,
			}
			s.origin(n.span, &s.toolEvent.Origin)
			a.rec.ToolCall(&s.toolEvent)
			reason = "tool"
		default:
			d, reason = telemetry.Folded, foldedReasons[n.role]
			if n.entry >= 0 && s.chats[n.entry].node == int32(i) {
				d, reason = telemetry.Recorded, "chat"
			}
		}
		v := verdict{late: late}
		if n.entry >= 0 {
			v.chat = s.nodes[s.chats[n.entry].node].span.ID
		}
		if n.outer >= 0 {
			v.partOf = s.nodes[n.outer].span.ID
		}
		s.dispose(a, n.span, d, reason, v)
	}
}

// foldedReasons say why a span is no event of its own.
var foldedReasons = [...]string{
	inside: "inside", wrapper: "wrapper", repeat: "repeat", double: "double",
	counted: "late", searchPart: "inner_search", tool: "",
}

// modelCall fills in the call that a model span turned out to be, without what
// the price book says.
func (s *settling) modelCall(n *node, m *telemetry.ModelCall) {
	sp := n.span
	c := sp.Call
	*m = telemetry.ModelCall{}
	s.origin(sp, &m.Origin)
	m.Duration, m.Outcome, m.ErrorType = sp.duration(), sp.Outcome, sp.ErrorType
	m.Operation, m.Provider, m.RequestModel, m.ResponseModel = sp.Operation, sp.Provider, sp.RequestModel, sp.ResponseModel
	m.ServiceTier = sp.ServiceTier
	if m.HasUsage = c.HasUsage; m.HasUsage {
		m.Tokens = c.Tokens
	}
	// What a wrapper says covers the calls that failed below it too.
	if c.HasCost && n.role != fallback {
		m.CostNanoUSD, m.CostSource = c.CostNanoUSD, telemetry.ReportedCost
	}
	if n.role == fallback {
		m.Start = min(n.failedEnd, sp.End)
		if m.Duration != telemetry.UnknownDuration {
			m.Duration = time.Duration(sp.End - m.Start)
		}
	}
}

// tellCall records a model span's call and gives the reason of its disposition.
func (s *settling) tellCall(a *assembly, n *node) string {
	sp := n.span
	c := sp.Call
	event := &s.events[n.event]
	switch sp.Kind {
	case semconv.KindEmbedding:
		s.embedding.ModelCall = event.ModelCall
		a.rec.Embedding(&s.embedding)
		return "embedding"
	case semconv.KindReranker:
		s.rerank.ModelCall = event.ModelCall
		s.rerank.Ordered, s.rerank.Displacement = c.Ordered, c.Displacement
		a.rec.Rerank(&s.rerank)
		return "rerank"
	}
	event.TimeToFirstToken, event.Stream = c.TimeToFirstToken, telemetry.NotStreamed
	if sp.Flags.Has(Streamed) {
		switch {
		case sp.Outcome == telemetry.Failed || sp.Flags.Has(Aborted):
			event.Stream = telemetry.StreamAborted
		case !c.HasUsage:
			event.Stream = telemetry.StreamUsageMissing
		default:
			event.Stream = telemetry.StreamCompleted
		}
	}
	a.rec.LLMCall(event)
	return "llm_call"
}

// dispose tallies one span, and says so to who explains.
func (s *settling) dispose(a *assembly, sp *held, d telemetry.Disposition, reason string, v verdict) {
	if sp.Flags.Has(Unusable) {
		d, reason = telemetry.Refused, "time"
	}
	s.count(tally{d, reason, sp.Service, 1})
	if a.explain != nil {
		v.span, v.disposition, v.reason = s.trace.told(sp), d, reason
		a.explain(v)
	}
}

func (s *settling) count(one tally) {
	for i := range s.tally {
		if t := &s.tally[i]; t.disposition == one.disposition && t.reason == one.reason && t.service == one.service {
			t.n++
			return
		}
	}
	s.tally = append(s.tally, one)
}

func (s *settling) tell(a *assembly) {
	for i := range s.tally {
		t := &s.tally[i]
		a.rec.Span(t.disposition, t.reason, t.service, t.n)
	}
}

func (s *settling) origin(sp *held, o *telemetry.Origin) {
	o.Service, o.TraceID, o.Start = sp.Service, s.trace.id, sp.Start
	binary.BigEndian.PutUint64(o.SpanID[:], sp.ID)
}

// statuses gives HTTP statuses as text, each made once.
type statuses struct{ text [600]string }

func (s *statuses) get(code uint16) string {
	if int(code) >= len(s.text) {
		return otherError
	}
	if s.text[code] == "" {
		s.text[code] = strconv.Itoa(int(code))
	}
	return s.text[code]
}
