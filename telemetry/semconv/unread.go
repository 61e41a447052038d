package semconv

import "bytes"

// unread are names of the dialects that are known and that nothing here needs:
// content, parameters of requests, labels. They are listed so that a name which is
// on neither list shows that a dialect has changed. Numbers inside are N.
var unread = [...]string{
	// OpenTelemetry, every generation.
	"gen_ai.agent.description", "gen_ai.agent.id", "gen_ai.agent.version",
	"gen_ai.embeddings.dimension.count", "gen_ai.headers", "gen_ai.output.type", "gen_ai.prompt.name",
	"gen_ai.request.choice.count", "gen_ai.request.embedding_dimensions", "gen_ai.request.encoding_formats",
	"gen_ai.request.frequency_penalty", "gen_ai.request.is_stream", "gen_ai.request.max_tokens",
	"gen_ai.request.presence_penalty", "gen_ai.request.previous_response.id", "gen_ai.request.reasoning.level",
	"gen_ai.request.reasoning_effort", "gen_ai.request.reasoning_summary", "gen_ai.request.seed",
	"gen_ai.request.service_tier", "gen_ai.request.stop_sequences", "gen_ai.request.structured_output_schema",
	"gen_ai.request.temperature", "gen_ai.request.top_k", "gen_ai.request.top_p", "gen_ai.request.type",
	"gen_ai.request.extra_body", "gen_ai.request.extra_query", "gen_ai.request.repetition_penalty",
	"gen_ai.response.system_fingerprint", "gen_ai.response.stop_reason",
	"gen_ai.retrieval.top_k", "gen_ai.serialized.doc", "gen_ai.serialized.name", "gen_ai.serialized.signature",
	"gen_ai.openai.api_base", "gen_ai.openai.api_type", "gen_ai.openai.api_version", "gen_ai.openai.system_fingerprint",
	"gen_ai.openai.request.response_format", "gen_ai.openai.request.seed", "gen_ai.openai.request.service_tier",
	"gen_ai.openai.response.system_fingerprint",
	"gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.description", "gen_ai.tool.type",
	"gen_ai.token.modality", "gen_ai.workflow.edges", "gen_ai.workflow.nodes",
	"gen_ai.task.id", "gen_ai.task.input", "gen_ai.task.kind", "gen_ai.task.name", "gen_ai.task.output",
	"gen_ai.task.parent.id", "gen_ai.task.status", "gen_ai.guardrail.name", "gen_ai.guardrail.status",
	// OpenInference.
	"llm.choices", "llm.function_call", "llm.headers", "llm.prompts", "llm.top_k", "llm.user", "llm.chat.stop_sequences",
	"llm.frequency_penalty", "llm.presence_penalty", "llm.temperature", "llm.response.id",
	"llm.response.finish_reason", "llm.response.stop_reason", "llm.request.reasoning_effort",
	"llm.token_count.prompt_details.audio", "llm.token_count.completion_details.audio",
	"embedding.invocation_parameters", "reranker.query", "reranker.top_k", "openinference.project.name",
	// OpenLLMetry.
	"traceloop.entity.path", "traceloop.entity.version", "traceloop.correlation.id", "traceloop.prompt.key",
	"traceloop.prompt.version", "traceloop.prompt.version_name", "traceloop.prompt.version_hash",
	"traceloop.prompt.template", "traceloop.prompt.managed", "traceloop.trace.id",
	"db.vector.query.embeddings_count", "db.vector.query.filter", "db.vector.query.include_metadata",
	"db.vector.query.include_values", "db.vector.query.id", "db.vector.query.queries", "db.vector.count",
	// LangSmith.
	"langsmith.attachments", "langsmith.reference_example_id", "langsmith.request.headers", "langsmith.span.dotted_order",
	"langsmith.span.runtime", "langsmith.span.tags", "langsmith.trace.session_id", "langsmith.traceable",
	"langsmith.traceable_parent_otel_span_id",
	// Langfuse.
	"langfuse.environment", "langfuse.release", "langfuse.version", "langfuse.trace.name", "langfuse.trace.tags",
	"langfuse.trace.public", "langfuse.trace.input", "langfuse.trace.output", "langfuse.observation.input",
	"langfuse.observation.level", "langfuse.observation.status_message",
	"langfuse.observation.prompt.name", "langfuse.observation.prompt.version",
	"langfuse.observation.model.parameters",
	// The Vercel AI SDK.
	"ai.prompt", "ai.prompt.format", "ai.prompt.messages", "ai.prompt.tools", "ai.prompt.toolChoice",
	"ai.response.avgOutputTokensPerSecond", "ai.response.avgCompletionTokensPerSecond", "ai.response.id",
	"ai.response.msToFinish", "ai.response.object", "ai.response.providerMetadata", "ai.response.reasoning",
	"ai.response.text", "ai.response.timestamp", "ai.response.toolCalls", "ai.response.files",
	"ai.schema", "ai.schema.name", "ai.schema.description", "ai.telemetry.functionId", "ai.stream.msToFirstChunk",
	"ai.toolCall.id", "ai.toolCall.args", "ai.toolCall.input", "ai.toolCall.output", "ai.toolCall.result",
	"ai.usage.inputTokenDetails.noCacheTokens", "ai.usage.outputTokenDetails.textTokens",
	"ai.value", "ai.values", "ai.embedding", "ai.embeddings", "ai.ranking", "ai.ranking.type", "ai.documents",
}

// unreadPrefixes are beginnings of names that hold content, or what each
// application names as it likes.
var unreadPrefixes = [...]string{
	"gen_ai.prompt.", "gen_ai.completion.", "gen_ai.input.messages.", "gen_ai.output.messages.",
	"llm.input_messages.", "llm.output_messages.", "llm.prompts.", "llm.choices.", "llm.tools.",
	"llm.request.functions.", "llm.prompt_template.", "llm.cost.",
	"embedding.embeddings.", "retrieval.documents.", "reranker.input_documents.", "reranker.output_documents.",
	"langsmith.metadata.", "traceloop.association.properties.", "traceloop.prompt.template_variables.",
	"langfuse.trace.metadata.", "langfuse.observation.metadata.",
	"ai.telemetry.metadata.", "ai.settings.", "ai.request.headers.", "ai.response.headers.",
}

var unreadNames = func() map[string]struct{} {
	names := make(map[string]struct{}, len(unread))
	for _, name := range unread {
		names[name] = struct{}{}
	}
	return names
}()

// longestUnmapped bounds a name that Unmapped gives, in bytes.
const longestUnmapped = 128

// Unmapped tells whether an attribute that Lookup does not know lies in a namespace
// of a GenAI dialect and is on no list of names that are known and not needed. It
// appends the name to dst, numbers inside as N and cut to 128 bytes.
func Unmapped(dst, name []byte) ([]byte, bool) {
	if !IsGenAI(name) {
		return dst, false
	}
	if _, known := unreadNames[string(name)]; known {
		return dst, false
	}
	for _, prefix := range unreadPrefixes {
		if len(name) > len(prefix) && string(name[:len(prefix)]) == prefix {
			return dst, false
		}
	}
	start := len(dst)
	for len(name) > 0 && len(dst)-start < longestUnmapped {
		part, rest, more := bytes.Cut(name, []byte("."))
		if _, isNumber := digits(part); isNumber {
			part = []byte("N")
		}
		dst = append(dst, part...)
		if name = rest; more {
			dst = append(dst, '.')
		}
	}
	if len(dst) > start+longestUnmapped {
		dst = dst[:start+longestUnmapped]
	}
	return dst, true
}
