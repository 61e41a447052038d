package understand

import (
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// Span is what one span says, resolved over dialects and generations. It holds no
// reference to the message it was read from.
type Span struct {
	TraceID [16]byte
	// ID and Parent are span ids as big-endian numbers; Parent 0 is none.
	ID, Parent uint64
	// Start and End are Unix nanoseconds by the sender's clock, End never before Start.
	Start, End int64

	Service string // service.name, "unknown_service" if not told
	Scope   string // the instrumentation scope's name
	Name    string // at most 128 bytes

	Kind     semconv.Kind
	SpanKind otlp.SpanKind
	Outcome  telemetry.Outcome
	Flags    Flags
	// HTTPStatus is what an HTTP span answered, 0 if not told.
	HTTPStatus uint16
	// Door is the class of doors it came through; see Engine.Traces.
	Door      uint8
	ErrorType string // "" if Outcome is Succeeded
	// RunID is the id by which callers name the run, zero if the span carries none
	// of its own.
	RunID RunID

	Call   Call   // of a model, embedding or reranker span
	Search Search // of a retriever or vector-store span
	Tool   string // of a tool span
}

// Flags are facts about a span that are either so or not.
type Flags uint16

// The flags.
const (
	// Untimed spans have an end that nobody told truthfully: their output is a
	// generator or a response object that had yet to be consumed.
	Untimed Flags = 1 << iota
	// Streamed model calls answered in pieces.
	Streamed
	// Aborted streams ended with an error or were cut off.
	Aborted
	// Entry spans are chats by their own mark or by a rule.
	Entry
	// Excluded spans are no chat by their own mark or by a rule.
	Excluded
	// Governed spans belong to a service with entry rules.
	Governed
	// Session spans are websockets or longer than a question.
	Session
	// Unusable spans have no end, or times that are none; they only hold a trace together.
	Unusable
)

// Has tells whether all flags of g are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Call is what a model span says of its call.
type Call struct {
	Operation     string
	Provider      string // normalised, "" if not told
	RequestModel  string // "" if not told
	ResponseModel string // "" if not told
	Tokens        telemetry.Tokens
	HasUsage      bool
	ServiceTier   string // "" if not told
	// HasCost tells whether the span says what the call cost.
	HasCost     bool
	CostNanoUSD int64
	// Displacement is how much a reranker changed the order, 0 to 1, where Ordered.
	Ordered      bool
	Displacement float64
	// Answer stands for the id that the provider gave the answer, 0 if not told: spans
	// that name one answer tell of one call.
	Answer uint32
	// TimeToFirstToken is 0 if not told.
	TimeToFirstToken time.Duration
}

// Search is what a retriever or vector-store span says of what it found.
type Search struct {
	DataSource string // "" if not told
	// Documents is the number of documents returned, -1 if not told.
	Documents int32
	// Scored is the number of documents with a score in 0..1; Sum and Top are over those.
	Scored   int32
	Sum, Top float64
	Cache    telemetry.Cache
}

// rankFusion is the score at or below which a list of scores is one of rank
// fusion (1/(60+rank) at most) and no similarity; docs/semantics.md, section 4.
const rankFusion = 0.05

// isSearch tells whether the kind is a search or may be part of one.
func isSearch(k semconv.Kind) bool {
	return k == semconv.KindRetriever || k == semconv.KindVectorQuery
}

// isModel tells whether the kind is a call of some model.
func isModel(k semconv.Kind) bool {
	return k == semconv.KindLLM || k == semconv.KindEmbedding || k == semconv.KindReranker
}

// isChain tells whether the kind is a chain, workflow or agent.
func isChain(k semconv.Kind) bool { return k == semconv.KindChain || k == semconv.KindAgent }

// ends a wrapper's reach: no model span wraps another through these.
func blocks(k semconv.Kind) bool {
	switch k {
	case semconv.KindTool, semconv.KindAgent, semconv.KindRetriever, semconv.KindVectorQuery,
		semconv.KindVectorStore, semconv.KindGuardrail, semconv.KindEvaluator:
		return true
	}
	return false
}
