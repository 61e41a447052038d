package understand

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"treq/telemetry"
)

// Record is a request as the journal keeps it.
type Record struct {
	Admitted time.Time
	Door     uint8  // see Engine.Traces
	Logs     bool   // an ExportLogsServiceRequest; otherwise of traces
	Body     []byte // protobuf
}

// SpanExplanation says what became of one span and what it counted for.
type SpanExplanation struct {
	TraceID  [16]byte
	SpanID   [8]byte
	ParentID [8]byte // zero: none, or a span that was told again
	Service  string
	Name     string
	Kind     string // see semconv.Kind
	// Start and End are Unix nanoseconds, 0 for a span that was told again or has none.
	Start, End int64

	Disposition telemetry.Disposition
	// Reason is the word under which the span is counted, "" where the disposition
	// says it all; Why says the same in a sentence.
	Reason, Why string
	// Late spans came after what they belong to was counted.
	Late bool
	// Chat is the entry of the chat that the span belongs to, zero if it is in none;
	// of the entry itself its own id.
	Chat [8]byte
	// PartOf is the search that the span is a part of, zero if none.
	PartOf [8]byte

	// The events that the span made; nil for those it did not.

	CountedChat      *telemetry.Chat
	CountedLLMCall   *telemetry.LLMCall
	CountedRetrieval *telemetry.Retrieval
	CountedEmbedding *telemetry.Embedding
	CountedRerank    *telemetry.Rerank
	CountedTool      *telemetry.ToolCall
}

// ExplainTrace says for each span of a trace what an engine of that configuration
// makes of it: the records that hold the trace's spans, in the order of the
// journal, are counted as they were, and everything closes at their end. What the
// records hold of other traces is left out. Spans come in the order of their
// starts; one that was told again comes once more, as a duplicate, after them.
//
// The sums of what the explanations counted are what the engine counted. The error,
// of kind Invalid, is about the configuration or a body that does not decode.
func ExplainTrace(c Config, traceID [16]byte, records []Record) ([]SpanExplanation, error) {
	x := &explainer{trace: traceID, at: map[[8]byte]int{}}
	e, err := New(c, x)
	if err != nil {
		return nil, err
	}
	e.assembly.explain = x.explain
	for _, r := range records {
		if r.Logs {
			err = e.Logs(r.Admitted, r.Body)
		} else {
			err = e.Traces(r.Admitted, r.Door, r.Body)
		}
		if err != nil {
			return nil, err
		}
	}
	e.Flush()
	slices.SortStableFunc(x.spans, func(a, b SpanExplanation) int {
		return cmp.Or(cmp.Compare(again(&a), again(&b)), cmp.Compare(a.Start, b.Start), bytes.Compare(a.SpanID[:], b.SpanID[:]))
	})
	return x.spans, nil
}

func again(s *SpanExplanation) int {
	if s.Disposition == telemetry.Duplicate {
		return 1
	}
	return 0
}

// verdict is what became of a span, as the engine says it to an explainer.
type verdict struct {
	span         *Span
	disposition  telemetry.Disposition
	reason       string
	late         bool
	chat, partOf uint64
}

// explainer is a recorder that keeps what became of each span of one trace.
type explainer struct {
	trace [16]byte
	spans []SpanExplanation
	at    map[[8]byte]int // spans by id, but duplicates
}

func spanIDOf(n uint64) (id [8]byte) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

// of gives the explanation of a span, a new one if there is none.
func (x *explainer) of(id [8]byte) *SpanExplanation {
	i, ok := x.at[id]
	if !ok {
		i = len(x.spans)
		x.at[id] = i
		x.spans = append(x.spans, SpanExplanation{TraceID: x.trace, SpanID: id})
	}
	return &x.spans[i]
}

func (x *explainer) explain(v verdict) {
	if v.span.TraceID != x.trace {
		return
	}
	var s *SpanExplanation
	if v.disposition == telemetry.Duplicate {
		x.spans = append(x.spans, SpanExplanation{TraceID: x.trace, SpanID: spanIDOf(v.span.ID)})
		s = &x.spans[len(x.spans)-1]
	} else {
		s = x.of(spanIDOf(v.span.ID))
	}
	s.ParentID, s.Service, s.Name, s.Kind = spanIDOf(v.span.Parent), v.span.Service, v.span.Name, v.span.Kind.String()
	s.Start, s.End = v.span.Start, v.span.End
	s.Disposition, s.Reason, s.Late = v.disposition, v.reason, v.late
	s.Chat, s.PartOf = spanIDOf(v.chat), spanIDOf(v.partOf)
	s.Why = why(v)
}

// reasonsWhy say in a sentence what the word for a reason says.
var reasonsWhy = map[string]string{
	"chat":         "It is a user's question: one chat.",
	"llm_call":     "It is one call of a language model.",
	"embedding":    "It is one call of an embedding model.",
	"rerank":       "It is one call of a reranker.",
	"retrieval":    "It is one search.",
	"tool":         "It is one execution of a tool.",
	"inside":       "It is no event of its own.",
	"wrapper":      "It wraps model calls that are counted themselves.",
	"repeat":       "It repeats the usage of the model calls below it.",
	"double":       "It is another instrumentation's view of a call or search that is counted.",
	"late":         "It came late, and what it tells of was counted already.",
	"inner_search": "It is a part of the search above it.",
	"other_door":   "Its trace is counted through another door.",
	"time":         "It has no start or no end, so that nothing of it can be counted.",
}

func why(v verdict) string {
	switch text := reasonsWhy[v.reason]; {
	case v.disposition == telemetry.NotGenAI:
		return "Nothing of its trace, or of its part of it, is about a language model or a search."
	case v.disposition == telemetry.Duplicate && v.reason == "":
		return "It was told before."
	case v.reason == "inside" && v.chat != 0:
		return "It is a part of the chat, and no event of its own."
	default:
		return text
	}
}

// mine tells whether an event is of the explained trace.
func (x *explainer) mine(o *telemetry.Origin) bool { return o.TraceID == x.trace }

// Chat implements telemetry.Recorder, as do the methods that follow.
func (x *explainer) Chat(c *telemetry.Chat) {
	if x.mine(&c.Origin) {
		x.of(c.SpanID).CountedChat = new(*c)
	}
}

func (x *explainer) Retrieval(r *telemetry.Retrieval) {
	if x.mine(&r.Origin) {
		x.of(r.SpanID).CountedRetrieval = new(*r)
	}
}

func (x *explainer) LLMCall(c *telemetry.LLMCall) {
	if x.mine(&c.Origin) {
		x.of(c.SpanID).CountedLLMCall = new(*c)
	}
}

func (x *explainer) Embedding(e *telemetry.Embedding) {
	if x.mine(&e.Origin) {
		x.of(e.SpanID).CountedEmbedding = new(*e)
	}
}

func (x *explainer) Rerank(r *telemetry.Rerank) {
	if x.mine(&r.Origin) {
		x.of(r.SpanID).CountedRerank = new(*r)
	}
}

func (x *explainer) ToolCall(t *telemetry.ToolCall) {
	if x.mine(&t.Origin) {
		x.of(t.SpanID).CountedTool = new(*t)
	}
}

func (x *explainer) ChatAddition(*telemetry.ChatAddition)              {}
func (x *explainer) Feedback(*telemetry.Feedback)                      {}
func (x *explainer) Span(telemetry.Disposition, string, string, int64) {}
func (x *explainer) Rejected(string, int64)                            {}
func (x *explainer) Unmapped(string, int64)                            {}
func (x *explainer) Late(int64)                                        {}
