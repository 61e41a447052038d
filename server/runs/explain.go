package runs

import (
	"slices"
	"time"

	"treq/telemetry"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// piece is what a record has of one trace.
type piece struct {
	admitted time.Time
	body     []byte
}

// Counted is what a trace counted for, as the meter counts it: wrappers, repeated
// spans and parts of searches once.
type Counted struct {
	Chats      int   `json:"chats"`
	LLMCalls   int   `json:"llm_calls"`
	LLMTokens  int64 `json:"llm_tokens"`
	Searches   int   `json:"searches"`
	Embeddings int   `json:"embeddings"`
	Reranks    int   `json:"reranks"`
	ToolCalls  int   `json:"tool_calls"`
}

// Explanation says what one span counted for, and why.
type Explanation struct {
	// Disposition is recorded, folded, not_genai, refused or duplicate: docs/semantics.md, section 4.
	Disposition string `json:"disposition"`
	// Events are what the span is one of: chat, llm_call, retrieval, embedding,
	// rerank, tool_call. Empty for a span that is part of another's event.
	Events []string `json:"events"`
	// Reason says why the span is no event, in a word: wrapper, inner_search,
	// inside, …; several where the trace holds spans of this kind for several reasons.
	Reasons []string `json:"reasons"`
	// Tokens are those that were counted for the span; null where none were.
	Tokens *Tokens `json:"tokens"`
	// Text says it all in a sentence.
	Text string `json:"text"`
}

// doorOTLP is the class of the doors that a record of spans came through.
const doorOTLP = 1

// explain counts one trace as the meter does, as if nothing further came.
func explain(rules understand.Config, pieces []piece) (*ledger, error) {
	l := newLedger()
	engine, err := understand.New(rules, l)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		// The journal's records were checked at the door.
		_ = engine.Traces(p.admitted, doorOTLP, p.body)
	}
	engine.Flush()
	return l, nil
}

// ledger is the recorder that remembers which span an event came from.
type ledger struct {
	counted Counted
	events  map[[8]byte]*Explanation
	tallies map[string][]tally // by service
}

func newLedger() *ledger {
	return &ledger{events: make(map[[8]byte]*Explanation), tallies: make(map[string][]tally)}
}

// tally is why some spans of a service are no event.
type tally struct {
	disposition telemetry.Disposition
	reason      string
}

func (l *ledger) note(o *telemetry.Origin, event string) *Explanation {
	e := l.events[o.SpanID]
	if e == nil {
		e = &Explanation{Disposition: telemetry.Recorded.String(), Reasons: []string{}}
		l.events[o.SpanID] = e
	}
	e.Events = append(e.Events, event)
	return e
}

func (l *ledger) call(c *telemetry.ModelCall, event string) {
	e := l.note(&c.Origin, event)
	if c.HasUsage {
		e.Tokens = tokensOf(c.Tokens)
	}
}

// Chat is called by the engine, as all that follow.
func (l *ledger) Chat(c *telemetry.Chat) {
	l.counted.Chats++
	l.note(&c.Origin, "chat")
}

func (l *ledger) LLMCall(c *telemetry.LLMCall) {
	l.counted.LLMCalls++
	l.counted.LLMTokens += c.Tokens.Total()
	l.call(&c.ModelCall, "llm_call")
}

func (l *ledger) Embedding(c *telemetry.Embedding) {
	l.counted.Embeddings++
	l.call(&c.ModelCall, "embedding")
}

func (l *ledger) Rerank(c *telemetry.Rerank) {
	l.counted.Reranks++
	l.call(&c.ModelCall, "rerank")
}

func (l *ledger) Retrieval(r *telemetry.Retrieval) {
	l.counted.Searches++
	l.note(&r.Origin, "retrieval")
}

func (l *ledger) ToolCall(c *telemetry.ToolCall) {
	l.counted.ToolCalls++
	l.note(&c.Origin, "tool_call")
}

func (l *ledger) Span(d telemetry.Disposition, reason, service string, _ int64) {
	// A copy of a span is not shown; that of another door is the span itself.
	if one := (tally{d, reason}); d != telemetry.Recorded && (d != telemetry.Duplicate || reason != "") &&
		!slices.Contains(l.tallies[service], one) {
		l.tallies[service] = append(l.tallies[service], one)
	}
}

func (l *ledger) ChatAddition(*telemetry.ChatAddition) {}
func (l *ledger) Feedback(*telemetry.Feedback)         {}
func (l *ledger) Rejected(string, int64)               {}
func (l *ledger) Unmapped(string, int64)               {}
func (l *ledger) Late(int64)                           {}

// of explains a span of the trace.
func (l *ledger) of(id [8]byte, service string, kind semconv.Kind, unusable bool) *Explanation {
	if e := l.events[id]; e != nil {
		e.Text = sentence(e)
		return e
	}
	e := &Explanation{Events: []string{}, Reasons: []string{}}
	may := l.tallies[service]
	if likely := slices.DeleteFunc(slices.Clone(may), func(t tally) bool {
		return (t.disposition == telemetry.Refused) != unusable || t.disposition == telemetry.Folded && !fits(t.reason, kind)
	}); len(likely) > 0 {
		may = likely
	}
	for _, t := range may {
		e.Disposition = t.disposition.String()
		if t.reason != "" {
			e.Reasons = append(e.Reasons, t.reason)
		}
	}
	e.Text = sentence(e)
	return e
}

// fits tells whether spans of a kind are folded for a reason: docs/semantics.md, section 4.
func fits(reason string, kind semconv.Kind) bool {
	switch reason {
	case "wrapper", "repeat", "double":
		return kind == semconv.KindLLM || kind == semconv.KindEmbedding || kind == semconv.KindReranker
	case "inner_search":
		return kind == semconv.KindRetriever || kind == semconv.KindVectorQuery || kind == semconv.KindVectorStore ||
			kind == semconv.KindEmbedding
	case "inside":
		return kind != semconv.KindLLM && kind != semconv.KindRetriever
	}
	return true
}

// becauses say the reasons in words.
var becauses = map[string]string{
	"wrapper":      "it wraps a model call, which counts",
	"repeat":       "it repeats the usage of the calls below it, which count",
	"double":       "another instrumentation told the same call, which counts",
	"inner_search": "it is a part of the search above it, which counts",
	"inside":       "it is neither a model call, a search nor a tool, and lies within what counts",
	"late":         "what lies below it was counted before it came",
	"other_door":   "its trace came through another door before",
	"time":         "it has no usable end",
}

var nouns = map[string]string{
	"chat": "a chat", "llm_call": "a model call", "retrieval": "a search", "embedding": "an embedding",
	"rerank": "a reranking", "tool_call": "a tool call",
}

func sentence(e *Explanation) string {
	switch {
	case len(e.Events) > 0:
		text := "counted as " + nouns[e.Events[0]]
		for _, event := range e.Events[1:] {
			text += " and as " + nouns[event]
		}
		return text
	case len(e.Reasons) > 0:
		text := "not counted by itself: " + becauses[e.Reasons[0]]
		for _, reason := range e.Reasons[1:] {
			text += ", or " + becauses[reason]
		}
		return text
	case e.Disposition == telemetry.NotGenAI.String():
		return "not counted: nothing in its part of the trace is about a model, a search or a tool"
	}
	return "not counted"
}
