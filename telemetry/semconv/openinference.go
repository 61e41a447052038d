package semconv

// Attributes of OpenInference.
const (
	OISpanKind             = "openinference.span.kind"
	OIInputValue           = "input.value"
	OIOutputValue          = "output.value"
	OIMetadata             = "metadata"
	OISessionID            = "session.id"
	OIModelName            = "llm.model_name"
	OIRequestModelName     = "llm.request.model_name"
	OIResponseModelName    = "llm.response.model_name"
	OIProvider             = "llm.provider"
	OISystem               = "llm.system"
	OIInvocationParameters = "llm.invocation_parameters"
	OIFinishReason         = "llm.finish_reason"
	OIPromptTokens         = "llm.token_count.prompt"
	OICompletionTokens     = "llm.token_count.completion"
	OITotalTokens          = "llm.token_count.total"
	OICacheRead            = "llm.token_count.prompt_details.cache_read"
	OICacheWrite           = "llm.token_count.prompt_details.cache_write"
	OICacheInput           = "llm.token_count.prompt_details.cache_input"
	OIReasoning            = "llm.token_count.completion_details.reasoning"
	OICostTotal            = "llm.cost.total"
	OIEmbeddingModelName   = "embedding.model_name"
	OIRerankerModelName    = "reranker.model_name"
	OIToolName             = "tool.name"
	// OIDocuments is an empty array where a retriever found nothing; documents come
	// under indexed names.
	OIDocuments = "retrieval.documents"
)
