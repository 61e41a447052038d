package semconv

// Attributes of OpenLLMetry (Traceloop), both generations.
const (
	TLSpanKind              = "traceloop.span.kind"
	TLEntityName            = "traceloop.entity.name"
	TLEntityInput           = "traceloop.entity.input"
	TLEntityOutput          = "traceloop.entity.output"
	TLWorkflowName          = "traceloop.workflow.name"
	TLRequestType           = "llm.request.type"
	TLIsStreaming           = "llm.is_streaming"
	TLGenAIIsStreaming      = "gen_ai.is_streaming"
	TLUsagePromptTokens     = "llm.usage.prompt_tokens"
	TLUsageCompletionTokens = "llm.usage.completion_tokens"
	TLUsageTotalTokens      = "llm.usage.total_tokens"
	// What LangChain tells of a model, under the association properties.
	TLAssociatedModel    = "traceloop.association.properties.ls_model_name"
	TLAssociatedProvider = "traceloop.association.properties.ls_provider"
)
