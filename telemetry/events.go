package telemetry

import "time"

// Outcome says whether an operation answered. The zero value is Succeeded.
type Outcome uint8

// The outcomes.
const (
	Succeeded Outcome = iota
	Failed
)

// String gives the value of the attribute treq.outcome: "success" or "failure".
func (o Outcome) String() string {
	if o == Failed {
		return "failure"
	}
	return "success"
}

// Evidence says what is known about the documents of a search, or of all the
// searches of a chat. Empty needs evidence (a list of length 0, a count of 0);
// without any it is Unknown, which is never a no-result. The zero value is
// None: no search took place.
type Evidence uint8

// The evidence, from least to most telling: a chat takes the largest of its searches.
const (
	None Evidence = iota
	Unknown
	Empty
	Found
)

// String gives the value of the attributes treq.rag and treq.retrieval.result.
func (e Evidence) String() string { return [...]string{"none", "unknown", "empty", "found"}[e&3] }

// Cache says whether a search was answered by a cache. The zero value is a miss:
// a search that names no cache counts as one.
type Cache uint8

// The cache results.
const (
	Miss Cache = iota
	Hit
)

// String gives the value of the attribute treq.cache.
func (c Cache) String() string {
	if c == Hit {
		return "hit"
	}
	return "miss"
}

// Origin identifies the span or post an event came from.
type Origin struct {
	// Service is the service.name of the resource; "default" for posts without
	// one, "unknown_service" for spans without one.
	Service string
	TraceID [16]byte // zero for posts
	SpanID  [8]byte  // zero for posts
	// Start is in Unix nanoseconds by the sender's clock; 0 is unknown.
	Start int64
}

// Tokens counts the tokens of model calls by disjoint kinds, so that the sum of
// the fields is the total. No field is negative or above 2^53.
type Tokens struct {
	Input      int64 // not cached
	CacheRead  int64
	CacheWrite int64
	Output     int64 // without reasoning
	Reasoning  int64
	Unsplit    int64 // where only a total was told
}

// Total is the sum of all kinds.
func (t Tokens) Total() int64 {
	return Plus(Plus(Plus(t.Input, t.CacheRead), Plus(t.CacheWrite, t.Output)), Plus(t.Reasoning, t.Unsplit))
}

// Add gives the sum by kind.
func (t Tokens) Add(u Tokens) Tokens {
	return Tokens{
		Plus(t.Input, u.Input), Plus(t.CacheRead, u.CacheRead), Plus(t.CacheWrite, u.CacheWrite),
		Plus(t.Output, u.Output), Plus(t.Reasoning, u.Reasoning), Plus(t.Unsplit, u.Unsplit),
	}
}

// UnknownDuration marks an operation whose end nobody told truthfully, such as a
// run whose output is a generator: it is counted and left out of averages.
const UnknownDuration time.Duration = -1

// Chat is one question of a user, answered or failed.
type Chat struct {
	Origin
	Duration  time.Duration // UnknownDuration if not known
	Outcome   Outcome
	ErrorType string   // "" when Outcome is Succeeded
	RAG       Evidence // the most telling of its searches; None without one
	LLMCalls  int64
	Tokens    int64 // of its model calls, all kinds
	// CostNanoUSD is what its model calls, embeddings and rerankers cost, as far as
	// that is known.
	CostNanoUSD int64
}

// ChatAddition is what late spans, or spans of a chat that a post already
// counted, add to a chat: no further chat, only its calls, tokens and cost.
type ChatAddition struct {
	Service     string
	LLMCalls    int64
	Tokens      int64
	CostNanoUSD int64
}

// Retrieval is one search of a vector store or retriever.
type Retrieval struct {
	Origin
	Duration   time.Duration
	Outcome    Outcome
	ErrorType  string
	DataSource string // "" if not named
	Result     Evidence
	// Documents is the number of documents returned, -1 if not known.
	Documents int64
	// Scored tells whether MeanSimilarity and TopSimilarity are known. Both lie
	// in 0..1, higher is closer.
	Scored         bool
	MeanSimilarity float64
	TopSimilarity  float64
	Cache          Cache
}

// StreamOutcome says how a streamed model call ended. The zero value is
// NotStreamed.
type StreamOutcome uint8

// The stream outcomes.
const (
	NotStreamed StreamOutcome = iota
	StreamCompleted
	StreamAborted
	StreamUsageMissing
)

// String gives the value of the attribute treq.stream.outcome, "" for NotStreamed.
func (s StreamOutcome) String() string {
	return [...]string{"", "completed", "aborted", "usage_missing"}[s&3]
}

// CostSource says who told what a call cost. The zero value is NoCost: nobody did,
// which is not the same as nothing.
type CostSource uint8

// The sources of a cost.
const (
	NoCost CostSource = iota
	// ReportedCost stands in the span.
	ReportedCost
	// BookCost follows from the price book.
	BookCost
)

// String gives the value of the attribute treq.cost.source, "none" for NoCost.
func (s CostSource) String() string { return [...]string{"none", "reported", "price_book"}[min(s, 2)] }

// ModelCall is what calls to language models, embedding models and rerankers
// have in common.
type ModelCall struct {
	Origin
	Duration time.Duration
	Outcome  Outcome
	// ErrorType is "" when Outcome is Succeeded.
	ErrorType string
	// Operation is a gen_ai.operation.name: chat, text_completion,
	// generate_content, embeddings, or rerank.
	Operation     string
	Provider      string // normalised, "" if not known
	RequestModel  string // "" if not known
	ResponseModel string // "" if not known
	Tokens        Tokens
	// HasUsage is false when nobody told the usage; then Tokens is zero and says nothing.
	HasUsage bool
	// ServiceTier is the tier that answered, in the provider's words; "" if not told.
	ServiceTier string
	// CostNanoUSD is in billionths of a dollar, never negative. CostSource tells
	// where it is from; with NoCost it is 0 and says nothing.
	CostNanoUSD int64
	CostSource  CostSource
	// UnpricedTokens are those that CostNanoUSD does not cover, because the book
	// has no price for them.
	UnpricedTokens int64
}

// Model is the response model, else the request model, else "".
func (m *ModelCall) Model() string {
	if m.ResponseModel != "" {
		return m.ResponseModel
	}
	return m.RequestModel
}

// LLMCall is one call to a language model.
type LLMCall struct {
	ModelCall
	// TimeToFirstToken is 0 if not known.
	TimeToFirstToken time.Duration
	Stream           StreamOutcome
}

// Embedding is one call to an embedding model.
type Embedding struct{ ModelCall }

// Rerank is one call to a reranker, never a search.
type Rerank struct {
	ModelCall
	// Ordered tells whether Displacement is known: both what went in and what came
	// out were told by id.
	Ordered bool
	// Displacement is how much the reranker changed the order, 0 (not at all) to 1
	// (as much as can be): the places by which the documents that came out moved, of
	// the most that they could have.
	Displacement float64
}

// ToolCall is one execution of a tool.
type ToolCall struct {
	Origin
	Duration  time.Duration
	Outcome   Outcome
	ErrorType string
	Tool      string // "" if not named
}

// Feedback is one judgement of a run: a thumb, a score, an evaluation. The same
// run, key and source again with the same score counts once; with another score it
// takes the place of the one before.
type Feedback struct {
	// ID is the judgement's own, "" if it has none.
	ID      string
	Service string
	RunID   string // "" for a judgement that names none
	Key     string // "user-score" if not named
	Source  string // "api", "otlp"; "" is unknown
	Comment string
	// Scored tells whether Score is known; Score lies in 0..1.
	Scored bool
	Score  float64
	// Replaces is what was counted before of the same run, key and source, nil for the
	// first judgement.
	Replaces *Verdict
	// Withdrawn tells that nothing takes the place of what it replaces.
	Withdrawn bool
}

// Verdict is what a judgement said in numbers. The zero value is one without a score.
type Verdict struct {
	Scored bool
	Score  float64
}
