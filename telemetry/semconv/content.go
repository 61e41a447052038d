package semconv

// Sense says how sensitive an attribute's value is by its name. The zero value is
// of a name that nobody here knows.
type Sense uint8

const (
	// Unsaid names may hold anything.
	Unsaid Sense = iota
	// Identity names hold what spans are joined, priced and counted by: ids, models,
	// kinds, numbers. Nothing there is what a person wrote.
	Identity
	// Personal names hold what tells people and their conversations apart.
	Personal
	// Written names hold what people and models wrote, and documents.
	Written
)

var personal = [...]string{
	UserID, EndUserID, OISessionID, GenAIConversationID, GenAIUser, LFSessionID, LFUserID,
	LSMetaSessionID, LSMetaThreadID, LSMetaConversationID, LSMetaUserID,
	"llm.user", "user.name", "user.email", "user.full_name", "user.hash", "enduser.pseudo.id",
}

var written = [...]string{
	GenAIRetrievalDocuments, GenAIRetrievalQuery, GenAIInputMessages, GenAIOutputMessages,
	GenAISystemInstructions, GenAIPrompt, GenAICompletion, GenAIToolDefinitions, GenAIEvaluationExplanation,
	"gen_ai.tool.description", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.task.input", "gen_ai.task.output", "gen_ai.serialized.doc",
	OIInputValue, OIOutputValue, OIMetadata, OIInvocationParameters, OIDocuments,
	"llm.choices", "llm.function_call", "llm.prompts", "llm.prompt_template.template", "llm.prompt_template.variables", "llm.tools",
	"reranker.query", "embedding.text", "tool.description", "tool.parameters", "input.text", "output.text",
	TLEntityInput, TLEntityOutput, "traceloop.prompt.template", "langsmith.attachments",
	"langfuse.trace.input", "langfuse.trace.output", "langfuse.observation.input", "langfuse.observation.output",
	"langfuse.observation.status_message",
	"ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.object", "ai.response.reasoning", "ai.response.text",
	"ai.response.toolCalls", "ai.response.files", "ai.toolCall.args", "ai.toolCall.input", "ai.toolCall.output", "ai.toolCall.result",
	"ai.value", "ai.values", "ai.embedding", "ai.embeddings", "ai.ranking", "ai.documents", "ai.schema",
	TreqFeedbackComment, TreqFeedbackCorrection,
	"exception.message", "exception.stacktrace", "db.query.text", "db.statement",
	"prompt", "completion", "all_messages_events", "events", "tool_arguments", "tool_response", "response_data", "request_data",
	"http.request.body", "http.response.body", "content", "message", "messages", "arguments",
}

var writtenPrefixes = [...]string{
	"gen_ai.prompt.", "gen_ai.completion.", "gen_ai.input.messages.", "gen_ai.output.messages.",
	"llm.input_messages.", "llm.output_messages.", "llm.prompts.", "llm.choices.", "llm.tools.",
	"llm.request.functions.", "llm.prompt_template.", "embedding.embeddings.",
	"retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.",
	"traceloop.prompt.template_variables.", "db.query.result.", "db.search.result.", "db.query.embeddings.", "db.search.query.",
}

// identities are names that no dialect's look-up has.
var identities = [...]string{
	"langsmith.span.dotted_order", "langsmith.trace.session_id", "langsmith.reference_example_id", "langsmith.traceable_parent_otel_span_id",
	"traceloop.trace.id", "traceloop.correlation.id", "gen_ai.agent.id", "gen_ai.task.id", "ai.response.id", "ai.toolCall.id",
	"ai.response.timestamp", "llm.response.id", "gen_ai.request.previous_response.id", "service.instance.id", "service.version",
	"telemetry.sdk.version", "host.id", "container.id", "k8s.pod.uid", "process.pid", "thread.id", "trace_id", "span_id", "run_id",
}

var senses = func() map[string]Sense {
	m := make(map[string]Sense, len(keyNames)+len(personal)+len(written)+len(identities))
	for k := 1; k < len(keyNames); k++ {
		m[keyNames[k]] = Identity
	}
	// Names and addresses are what applications make of them.
	for _, name := range [...]string{
		ExceptionType, HTTPRoute, HTTPTarget, HTTPURL, URLPath, URLFull, TreqFeedbackSource, EventName,
		LSTraceName, TLEntityName, TLWorkflowName, GenAIAgentName, GenAIWorkflowName, GenAIToolName, OIToolName, AIToolCallName,
		GenAIDataSourceID, GenAIEvaluationName, GenAIEvaluationLabel, LSMetaUsage, LSUsageMetadata,
		DBCollectionName, DBNamespace, DBName, DBOperationName, DBOperation,
	} {
		m[name] = Unsaid
	}
	for _, name := range identities {
		m[name] = Identity
	}
	for _, name := range personal {
		m[name] = Personal
	}
	for _, name := range written {
		m[name] = Written
	}
	return m
}()

// SenseOf tells how sensitive an attribute's value is. It allocates nothing.
func SenseOf(name []byte) Sense {
	if s, ok := senses[string(name)]; ok {
		return s
	}
	if Lookup(name) == KeyTLFinishReason {
		return Identity
	}
	for _, p := range writtenPrefixes {
		if len(name) > len(p) && string(name[:len(p)]) == p {
			return Written
		}
	}
	return Unsaid
}
