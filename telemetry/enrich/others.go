package enrich

import "treq/telemetry/semconv"

// Langfuse gives a trace request with what Langfuse does not see by itself: the type
// of retrievals and of what LangSmith's SDK sent, and the session and user of the
// latter.
func Langfuse(body []byte) []byte {
	return request(body, func(s *span) {
		if !s.has(semconv.LFObservationType, semconv.OISpanKind) {
			kind := observationTypes[s.text(semconv.LSSpanKind)]
			if kind == "" && s.text(semconv.GenAIOperationName) == "retrieval" {
				kind = "retriever"
			}
			s.add(semconv.LFObservationType, kind)
		}
		if !s.has(semconv.LFSessionID, semconv.OISessionID, semconv.GenAIConversationID) {
			s.add(semconv.LFSessionID, s.text(semconv.LSMetaSessionID, semconv.LSMetaThreadID, semconv.LSMetaConversationID))
		}
		if !s.has(semconv.LFUserID, semconv.UserID) {
			s.add(semconv.LFUserID, s.text(semconv.LSMetaUserID, semconv.EndUserID, semconv.GenAIUser))
		}
	})
}

// observationTypes are Langfuse's for the kinds of LangSmith.
var observationTypes = map[string]string{
	"llm": "generation", "retriever": "retriever", "tool": "tool", "embedding": "embedding", "chain": "chain",
}

// Phoenix gives a trace request in the words of OpenInference, which are all that
// Phoenix reads: the kind, the session, the model and what went in and out.
func Phoenix(body []byte) []byte {
	return request(body, func(s *span) {
		if s.has(semconv.OISpanKind) {
			return
		}
		kind := openInferenceKinds[s.text(semconv.LSSpanKind)]
		if kind == "" {
			kind = openInferenceKinds[s.text(semconv.GenAIOperationName)]
		}
		if kind == "" {
			return
		}
		s.add(semconv.OISpanKind, kind)
		s.add(semconv.OISessionID, s.text(semconv.GenAIConversationID, semconv.LSMetaSessionID, semconv.LSMetaThreadID))
		s.add(semconv.OIInputValue, s.text(semconv.GenAIPrompt, semconv.GenAIInputMessages, semconv.GenAIRetrievalQuery))
		s.add(semconv.OIOutputValue, s.text(semconv.GenAICompletion, semconv.GenAIOutputMessages, semconv.GenAIRetrievalDocuments))
		if kind == "LLM" {
			s.add(semconv.OIModelName, s.text(semconv.GenAIResponseModel, semconv.GenAIRequestModel, semconv.LSModelName))
			s.count(semconv.OIPromptTokens, semconv.GenAIInputTokens, semconv.GenAIPromptTokens)
			s.count(semconv.OICompletionTokens, semconv.GenAIOutputTokens, semconv.GenAICompletionTokens)
		}
	})
}

// openInferenceKinds are OpenInference's for the kinds of LangSmith and the operations
// of the semantic conventions.
var openInferenceKinds = map[string]string{
	"llm": "LLM", "retriever": "RETRIEVER", "tool": "TOOL", "embedding": "EMBEDDING", "chain": "CHAIN", "prompt": "CHAIN", "parser": "CHAIN",
	"chat": "LLM", "text_completion": "LLM", "generate_content": "LLM", "embeddings": "EMBEDDING", "retrieval": "RETRIEVER",
	"execute_tool": "TOOL", "invoke_agent": "AGENT", "create_agent": "AGENT",
}
