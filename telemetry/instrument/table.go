package instrument

import "slices"

// The scopes that the instruments belong to.
const (
	// MeterScope is checkpointed and restored.
	MeterScope = "treq/meter"
	// ProcessScope begins at zero with every process.
	ProcessScope = "treq/process"
	// DerivedScope follows from the meter's scope at every collection.
	DerivedScope = "treq/derived"
)

// Kind is what an instrument aggregates. The zero value is Counter.
type Kind uint8

// The kinds of instrument.
const (
	// Counter adds whole numbers.
	Counter Kind = iota
	// Histogram distributes floating-point values over explicit bounds.
	Histogram
	// IntHistogram distributes whole numbers over explicit bounds.
	IntHistogram
	// NanoCounter adds billionths of its unit, so that no sum drifts; it is shown in
	// whole units.
	NanoCounter
	// ObservableCounter reads a growing whole number when collected.
	ObservableCounter
	// ObservableFloatCounter reads a growing floating-point number when collected.
	ObservableFloatCounter
	// ObservableUpDown reads a whole number that adds up over series and may fall.
	ObservableUpDown
	// ObservableGauge reads a floating-point value that does not add up.
	ObservableGauge
	// DerivedGauge is computed from the meter's totals when these are shown.
	DerivedGauge
)

// String gives the kind in the words of the OpenTelemetry specification.
func (k Kind) String() string {
	switch k {
	case Histogram, IntHistogram:
		return "histogram"
	case ObservableCounter, ObservableFloatCounter:
		return "observable counter"
	case ObservableUpDown:
		return "observable up-down counter"
	case ObservableGauge:
		return "observable gauge"
	case DerivedGauge:
		return "gauge"
	default:
		return "counter"
	}
}

// Definition is one row of the table.
type Definition struct {
	Name        string
	Kind        Kind
	Unit        string // UCUM
	Description string
	// Bounds are the upper bounds of a histogram's buckets, ascending, in Unit;
	// nil for other kinds.
	Bounds []float64
	// Attributes are the names of the attributes it may carry; one without a value is left out.
	Attributes []string
	Scope      string
}

// The names of the instruments that events record.
const (
	ChatDuration        = "treq.chat.duration"
	ChatUntimed         = "treq.chat.untimed"
	ChatTokens          = "treq.chat.tokens"
	ChatLLMCalls        = "treq.chat.llm_calls"
	ChatCost            = "treq.chat.cost"
	RetrievalDuration   = "treq.retrieval.duration"
	RetrievalUntimed    = "treq.retrieval.untimed"
	RetrievalSimilarity = "treq.retrieval.similarity"
	RetrievalTop        = "treq.retrieval.top_similarity"
	RetrievalBelow      = "treq.retrieval.below_threshold"
	RetrievalUnscored   = "treq.retrieval.unscored"
	RetrievalDocuments  = "treq.retrieval.documents"
	OperationDuration   = "gen_ai.client.operation.duration"
	LLMUntimed          = "treq.llm.untimed"
	TokenUsage          = "gen_ai.client.token.usage"
	LLMTokens           = "treq.llm.tokens"
	EmbeddingTokens     = "treq.embedding.tokens"
	RerankTokens        = "treq.rerank.tokens"
	RerankDisplacement  = "treq.rerank.displacement"
	LLMCost             = "treq.llm.cost"
	LLMUnpricedTokens   = "treq.llm.unpriced_tokens"
	TimeToFirstToken    = "treq.llm.time_to_first_token"
	LLMStreams          = "treq.llm.streams"
	LLMTimedStreams     = "treq.llm.timed_streams"
	ToolDuration        = "treq.tool.duration"
	ToolUntimed         = "treq.tool.untimed"
	FeedbackScore       = "treq.feedback.score"
	FeedbackUnscored    = "treq.feedback.unscored"
	FeedbackReplaced    = "treq.feedback.replaced"
	FeedbackDropped     = "treq.feedback.unscored_replaced"
	PipelineAdmitted    = "treq.pipeline.admitted"
	PipelineSpans       = "treq.pipeline.spans"
	PipelineRejected    = "treq.pipeline.rejected"
	PipelineLate        = "treq.pipeline.late"
	PipelineUnmapped    = "treq.pipeline.unmapped_attributes"
	PipelineFolded      = "treq.pipeline.folded"
)

// Bounds that several instruments share. The first two are those of the semantic
// conventions 1.41.
func operationBounds() []float64 {
	return []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
}

func tokenBounds() []float64 {
	return []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
}

func similarityBounds() []float64 {
	return []float64{
		0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
		0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1,
	}
}

func scoreBounds() []float64 {
	return []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}
}

// Table gives every instrument of all scopes, in the order of the
// documentation. The slice and what it holds belong to the caller.
func Table() []Definition { return slices.Concat(meterTable(), derivedTable(), processTable()) }

func meterTable() []Definition {
	models := []string{AttrOperation, AttrProvider, AttrRequestModel, AttrResponseModel, AttrErrorType, AttrFamily, AttrService}
	tokens := []string{AttrProvider, AttrResponseModel, AttrFamily, AttrService}
	priced := []string{AttrOperation, AttrProvider, AttrResponseModel, AttrFamily, AttrService}
	chat := []string{AttrOutcome, AttrErrorType, AttrRAG, AttrService}
	retrieval := []string{AttrOutcome, AttrDataSource, AttrCache, AttrResult, AttrService}
	source := []string{AttrDataSource, AttrService}
	tool := []string{AttrTool, AttrErrorType, AttrService}
	feedback := []string{AttrFeedbackKey, AttrFeedbackFrom, AttrService}
	with := func(attrs []string, more ...string) []string { return append(append([]string{}, attrs...), more...) }

	table := []Definition{
		{
			Name: ChatDuration, Kind: Histogram, Unit: "s", Attributes: chat,
			Bounds:      []float64{0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 120},
			Description: "Time from a user's question to the end of its answer.",
		},
		{Name: ChatUntimed, Unit: "{chat}", Attributes: chat, Description: "Chats whose duration nobody told."},
		{Name: ChatTokens, Unit: "{token}", Attributes: []string{AttrService}, Description: "Tokens of the model calls of chats, all kinds."},
		{Name: ChatLLMCalls, Unit: "{call}", Attributes: []string{AttrService}, Description: "Model calls of chats."},
		{
			Name: ChatCost, Kind: NanoCounter, Unit: "USD", Attributes: []string{AttrService},
			Description: "What the model calls, embeddings and rerankers of chats cost, as far as it is known.",
		},
		{
			Name: RetrievalDuration, Kind: Histogram, Unit: "s", Attributes: retrieval,
			Bounds:      []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 0.75, 1, 2.5, 5, 10},
			Description: "Time of one search.",
		},
		{Name: RetrievalUntimed, Unit: "{search}", Attributes: retrieval, Description: "Searches whose duration nobody told."},
		{
			Name: RetrievalSimilarity, Kind: Histogram, Unit: "1", Attributes: source, Bounds: similarityBounds(),
			Description: "Mean similarity of the documents of one search, higher is closer.",
		},
		{
			Name: RetrievalTop, Kind: Histogram, Unit: "1", Attributes: source, Bounds: similarityBounds(),
			Description: "Similarity of the best document of one search, higher is closer.",
		},
		{
			Name: RetrievalBelow, Unit: "{search}", Attributes: source,
			Description: "Searches whose best document was less similar than the threshold.",
		},
		{
			Name: RetrievalUnscored, Unit: "{search}", Attributes: source,
			Description: "Searches that may have found something and told no similarity.",
		},
		{
			Name: RetrievalDocuments, Kind: IntHistogram, Unit: "{document}", Attributes: source,
			Bounds:      []float64{0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100},
			Description: "Documents that one search returned.",
		},
		{
			Name: OperationDuration, Kind: Histogram, Unit: "s", Attributes: models, Bounds: operationBounds(),
			Description: "Time of one call to a model.",
		},
		{Name: LLMUntimed, Unit: "{call}", Attributes: models, Description: "Calls to a model whose duration nobody told."},
		{
			Name: TokenUsage, Kind: IntHistogram, Unit: "{token}", Attributes: with(models, AttrTokenType), Bounds: tokenBounds(),
			Description: "Input and output tokens of one call to a model.",
		},
		{Name: LLMTokens, Unit: "{token}", Attributes: with(tokens, AttrTokenKind), Description: "Tokens of language models by disjoint kinds."},
		{Name: EmbeddingTokens, Unit: "{token}", Attributes: tokens, Description: "Tokens of embedding models."},
		{Name: RerankTokens, Unit: "{token}", Attributes: tokens, Description: "Tokens of rerankers."},
		{
			Name: RerankDisplacement, Kind: Histogram, Unit: "1", Attributes: tokens,
			Bounds:      []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1},
			Description: "How much a reranker changed the order, of the most that it could have.",
		},
		{
			Name: LLMCost, Kind: NanoCounter, Unit: "USD", Attributes: with(priced, AttrCostSource),
			Description: "What calls to language models, embedding models and rerankers cost, as far as it is known.",
		},
		{
			Name: LLMUnpricedTokens, Unit: "{token}", Attributes: priced,
			Description: "Tokens of calls to models that nobody knows the price of.",
		},
		{
			Name: TimeToFirstToken, Kind: Histogram, Unit: "s", Attributes: tokens, Bounds: operationBounds(),
			Description: "Time from a streamed call to its first token.",
		},
		{
			Name: LLMStreams, Unit: "{stream}", Attributes: []string{AttrResponseModel, AttrFamily, AttrService, AttrStream},
			Description: "Streamed model calls by how they ended.",
		},
		{
			Name: LLMTimedStreams, Unit: "{stream}", Attributes: []string{AttrResponseModel, AttrFamily, AttrService},
			Description: "Streamed model calls that told the time to the first token.",
		},
		{
			Name: ToolDuration, Kind: Histogram, Unit: "s", Attributes: tool, Bounds: operationBounds(),
			Description: "Time of one execution of a tool.",
		},
		{Name: ToolUntimed, Unit: "{call}", Attributes: tool, Description: "Executions of a tool whose duration nobody told."},
		{
			Name: FeedbackScore, Kind: Histogram, Unit: "1", Attributes: feedback, Bounds: scoreBounds(),
			Description: "Scores of judgements of runs, higher is better.",
		},
		{Name: FeedbackUnscored, Unit: "{judgement}", Attributes: feedback, Description: "Judgements of runs without a score."},
		{
			Name: FeedbackReplaced, Kind: Histogram, Unit: "1", Attributes: feedback, Bounds: scoreBounds(),
			Description: "Scores in treq.feedback.score that a changed vote or a withdrawal took the place of: what holds is the difference.",
		},
		{Name: FeedbackDropped, Unit: "{judgement}", Attributes: feedback, Description: "Judgements in treq.feedback.unscored that were changed or withdrawn since."},
		{Name: PipelineAdmitted, Unit: "{span}", Description: "Spans read from the journal: at every moment the sum of treq.pipeline.spans and treq.pipeline.open."},
		{
			Name: PipelineSpans, Unit: "{span}", Attributes: []string{AttrDisposition, AttrReason, AttrService},
			Description: "Admitted spans by what became of them.",
		},
		{Name: PipelineRejected, Unit: "{value}", Attributes: []string{AttrReason}, Description: "Field values that were refused."},
		{Name: PipelineLate, Unit: "{span}", Description: "Spans that came after their fragment was closed."},
		{
			Name: PipelineUnmapped, Unit: "{attribute}", Attributes: []string{AttrAttribute},
			Description: "Attributes in a namespace of a GenAI dialect that nobody here reads, by name.",
		},
		{
			Name: PipelineFolded, Unit: "{measurement}", Attributes: []string{AttrAttribute, AttrReason},
			Description: "Measurements whose attribute value was folded into other, by the limit that was reached.",
		},
	}
	for i := range table {
		table[i].Scope = MeterScope
	}
	return table
}
