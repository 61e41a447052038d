package semconv

// Attributes of the OpenTelemetry GenAI semantic conventions, every generation
// from 1.26 to 1.41 and the unreleased repository that followed. A name that a
// later generation replaced stands next to its replacement.
const (
	GenAIOperationName         = "gen_ai.operation.name"
	GenAIProviderName          = "gen_ai.provider.name"
	GenAISystem                = "gen_ai.system"
	GenAIRequestModel          = "gen_ai.request.model"
	GenAIRequestStream         = "gen_ai.request.stream"
	GenAIResponseModel         = "gen_ai.response.model"
	GenAIResponseID            = "gen_ai.response.id"
	GenAIFinishReasons         = "gen_ai.response.finish_reasons"
	GenAITimeToFirstChunk      = "gen_ai.response.time_to_first_chunk"
	GenAIInputTokens           = "gen_ai.usage.input_tokens"
	GenAIPromptTokens          = "gen_ai.usage.prompt_tokens"
	GenAIOutputTokens          = "gen_ai.usage.output_tokens"
	GenAICompletionTokens      = "gen_ai.usage.completion_tokens"
	GenAITotalTokens           = "gen_ai.usage.total_tokens"
	GenAICacheRead             = "gen_ai.usage.cache_read.input_tokens"
	GenAICacheReadOld          = "gen_ai.usage.cache_read_input_tokens"
	GenAICacheWrite            = "gen_ai.usage.cache_write.input_tokens"
	GenAICacheCreation         = "gen_ai.usage.cache_creation.input_tokens"
	GenAICacheCreationOld      = "gen_ai.usage.cache_creation_input_tokens"
	GenAIReasoning             = "gen_ai.usage.reasoning.output_tokens"
	GenAIReasoningTokens       = "gen_ai.usage.reasoning_tokens"
	GenAIReasoningDetails      = "gen_ai.usage.details.reasoning_tokens"
	GenAICost                  = "gen_ai.usage.cost"
	GenAICostTotal             = "gen_ai.cost.total_cost" // of LiteLLM
	GenAIServiceTier           = "gen_ai.response.service_tier"
	GenAIOpenAIServiceTier     = "gen_ai.openai.response.service_tier"
	OpenAIServiceTier          = "openai.response.service_tier"
	GenAIConversationID        = "gen_ai.conversation.id"
	GenAIDataSourceID          = "gen_ai.data_source.id"
	GenAIRetrievalDocuments    = "gen_ai.retrieval.documents"
	GenAIRetrievalQuery        = "gen_ai.retrieval.query.text"
	GenAIInputMessages         = "gen_ai.input.messages"
	GenAIOutputMessages        = "gen_ai.output.messages"
	GenAISystemInstructions    = "gen_ai.system_instructions"
	GenAIPrompt                = "gen_ai.prompt"
	GenAICompletion            = "gen_ai.completion"
	GenAIToolName              = "gen_ai.tool.name"
	GenAIToolCallID            = "gen_ai.tool.call.id"
	GenAIToolDefinitions       = "gen_ai.tool.definitions"
	GenAIAgentName             = "gen_ai.agent.name"
	GenAIWorkflowName          = "gen_ai.workflow.name"
	GenAITokenType             = "gen_ai.token.type"
	GenAIEvaluationName        = "gen_ai.evaluation.name"
	GenAIEvaluationScore       = "gen_ai.evaluation.score.value"
	GenAIEvaluationLabel       = "gen_ai.evaluation.score.label"
	GenAIEvaluationExplanation = "gen_ai.evaluation.explanation"
	GenAIUser                  = "gen_ai.user"
)

// The names of log records and span events of the conventions.
const (
	EventEvaluationResult = "gen_ai.evaluation.result"
	EventCompletionChunk  = "gen_ai.content.completion.chunk"
	EventNewToken         = "new_token"
	// EventTLChunk, EventOIFirstToken and EventAIFirstChunk are OpenLLMetry's (its old
	// generation), OpenInference's and the Vercel AI SDK's.
	EventTLChunk      = "llm.content.completion.chunk"
	EventOIFirstToken = "First Token Stream Event"
	EventAIFirstChunk = "ai.stream.firstChunk"
	EventException    = "exception"
)
