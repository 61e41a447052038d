package instrument

// The names of the attributes that the instruments carry. Those of released
// semantic conventions (1.41) are used where they exist; "treq." covers the rest.
const (
	AttrService       = "service.name"
	AttrOutcome       = "treq.outcome"
	AttrErrorType     = "error.type"
	AttrRAG           = "treq.rag"
	AttrDataSource    = "gen_ai.data_source.id"
	AttrCache         = "treq.cache"
	AttrResult        = "treq.retrieval.result"
	AttrOperation     = "gen_ai.operation.name"
	AttrProvider      = "gen_ai.provider.name"
	AttrRequestModel  = "gen_ai.request.model"
	AttrResponseModel = "gen_ai.response.model"
	AttrFamily        = "treq.model.family"
	AttrTokenType     = "gen_ai.token.type"
	AttrTokenKind     = "treq.token.kind"
	AttrCostSource    = "treq.cost.source"
	AttrStream        = "treq.stream.outcome"
	AttrTool          = "gen_ai.tool.name"
	AttrFeedbackKey   = "treq.feedback.key"
	AttrFeedbackFrom  = "treq.feedback.source"
	AttrDisposition   = "treq.disposition"
	AttrReason        = "treq.reason"
	AttrAttribute     = "treq.attribute"
	AttrDoor          = "treq.door"
	AttrSignal        = "treq.signal"
	AttrSink          = "treq.sink"
	AttrReceiver      = "treq.receiver"
	AttrCPUMode       = "cpu.mode"
)

// Other is the value that stands for all values beyond a limit.
const Other = "other"

// UnknownService is the service of events that name none.
const UnknownService = "unknown_service"

// The operations that are no calls to a language model: the document's llm block
// leaves them out.
const (
	OperationChat       = "chat"
	OperationEmbeddings = "embeddings"
	OperationRerank     = "rerank"
)

// UnknownError is the error type of a failure that named none (semantic
// conventions: error.type).
const UnknownError = "_OTHER"
