package semconv

// Attributes of the Vercel AI SDK and of Langfuse.
const (
	AIOperationID       = "ai.operationId"
	AIModelID           = "ai.model.id"
	AIModelProvider     = "ai.model.provider"
	AIResponseModel     = "ai.response.model"
	AIFinishReason      = "ai.response.finishReason"
	AIMsToFirstChunk    = "ai.response.msToFirstChunk"
	AIUsageTokens       = "ai.usage.tokens"
	AIPromptTokens      = "ai.usage.promptTokens"
	AICompletionTokens  = "ai.usage.completionTokens"
	AIInputTokens       = "ai.usage.inputTokens"
	AIOutputTokens      = "ai.usage.outputTokens"
	AITotalTokens       = "ai.usage.totalTokens"
	AICachedInputTokens = "ai.usage.cachedInputTokens"
	AIReasoningTokens   = "ai.usage.reasoningTokens"
	AIDetailsCacheRead  = "ai.usage.inputTokenDetails.cacheReadTokens"
	AIDetailsCacheWrite = "ai.usage.inputTokenDetails.cacheWriteTokens"
	AIDetailsReasoning  = "ai.usage.outputTokenDetails.reasoningTokens"
	AIToolCallName      = "ai.toolCall.name"
	LFObservationType   = "langfuse.observation.type"
	LFModelName         = "langfuse.observation.model.name"
	// LFUsageDetails and LFCostDetails are objects as JSON text; of the costs the total is read.
	LFUsageDetails = "langfuse.observation.usage_details"
	LFCostDetails  = "langfuse.observation.cost_details"
	LFOutput       = "langfuse.observation.output"
	LFSessionID    = "langfuse.session.id"
	LFUserID       = "langfuse.user.id"
	// LFCompletionStart is a time in RFC 3339, with quotes around it or without.
	LFCompletionStart = "langfuse.observation.completion_start_time"
)
