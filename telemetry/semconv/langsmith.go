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
	LSDottedOrder        = "langsmith.span.dotted_order"
	LSTags               = "langsmith.span.tags"
	LSRuntime            = "langsmith.span.runtime"
	LSProjectID          = "langsmith.trace.session_id"
	LSExample            = "langsmith.reference_example_id"
	// LSMetadata is what the names of a run's own metadata begin with.
	LSMetadata = "langsmith.metadata."
	// LSInternalProvider is set on the resource by the exporter of Python's SDK.
	LSInternalProvider = "langsmith.internal_provider"
	// LSSerializedName is the name of the class that a run was made by.
	LSSerializedName = "gen_ai.serialized.name"
)

// LSScope is the instrumentation scope of the LangSmith SDKs' own exporters.
const LSScope = "langsmith"
