package semconv

// Attributes of the LangSmith SDKs' own exporters.
const (
	LSSpanKind           = "langsmith.span.kind"
	LSSpanID             = "langsmith.span.id"
	LSTraceID            = "langsmith.trace.id"
	LSParentID           = "langsmith.span.parent_id"
	LSTraceName          = "langsmith.trace.name"
	LSProject            = "langsmith.trace.session_name"
	LSIsRoot             = "langsmith.is_root"
	LSUsageMetadata      = "langsmith.usage_metadata"
	LSInputTokenDetails  = "gen_ai.usage.input_token_details"
	LSOutputTokenDetails = "gen_ai.usage.output_token_details"
	LSModelName          = "langsmith.metadata.ls_model_name"
	LSProvider           = "langsmith.metadata.ls_provider"
	LSModelType          = "langsmith.metadata.ls_model_type"
	LSMetaUsage          = "langsmith.metadata.usage_metadata"
	LSMetaSessionID      = "langsmith.metadata.session_id"
	LSMetaThreadID       = "langsmith.metadata.thread_id"
	LSMetaConversationID = "langsmith.metadata.conversation_id"
	LSMetaUserID         = "langsmith.metadata.user_id"
	LSRequestStreaming   = "langsmith.request.streaming"
)

// LSScope is the instrumentation scope of the LangSmith SDKs' own exporters.
const LSScope = "langsmith"
