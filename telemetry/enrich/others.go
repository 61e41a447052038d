package enrich

// Langfuse gives a trace request with what Langfuse does not see by itself: the type
// of retrievals and of what LangSmith's SDK sent, and the session and user of the
// latter.
func Langfuse(body []byte) []byte { return request(body, langfuse) }

func langfuse(s *span) {
	if !s.has(lfObservationType, oiSpanKind) {
		kind := s.among(observationTypes, lsSpanKind)
		if kind == "" && s.among(runTypes, operationName) == "retriever" {
			kind = "retriever"
		}
		s.add(lfObservationType, kind)
	}
	if !s.has(lfSessionID, oiSessionID, conversationID) {
		s.add(lfSessionID, s.text(lsSessionID, lsThreadID, lsConversationID))
	}
	if !s.has(lfUserID, userID) {
		s.add(lfUserID, s.text(lsUserID, endUserID, genAIUser))
	}
}

// observationTypes are Langfuse's for the kinds of LangSmith.
var observationTypes = map[string]string{
	"llm": "generation", "retriever": "retriever", "tool": "tool", "embedding": "embedding", "chain": "chain",
}

// Phoenix gives a trace request in the words of OpenInference, which are all that
// Phoenix reads: the kind, the session, the user, the model, documents with their
// scores, and what went in and out.
func Phoenix(body []byte) []byte { return request(body, phoenix) }

func phoenix(s *span) {
	if s.has(oiSpanKind) {
		return
	}
	kind := s.among(openInferenceKinds, lsSpanKind)
	if kind == "" {
		kind = s.among(openInferenceKinds, operationName)
	}
	if kind == "" {
		return
	}
	s.add(oiSpanKind, kind)
	s.add(oiSessionID, s.text(conversationID, lsSessionID, lsThreadID))
	s.add(userID, s.text(lsUserID, endUserID, genAIUser))
	s.add(oiInput, s.text(prompt, inputMessages, retrievalQuery))
	s.add(oiOutput, s.text(completion, outputMessages, retrievalDocuments))
	switch kind {
	case "LLM":
		s.add(oiModelName, s.text(responseModel, requestModel, lsModelName))
		s.count(oiPromptTokens, inputTokens, promptTokens)
		s.count(oiCompletionTokens, outputTokens, completionTokens)
		s.count(oiCacheRead, cacheRead, cacheReadOld)
		s.count(oiCacheWrite, cacheCreation, cacheWrite, cacheCreationOld)
		s.count(oiReasoning, reasoning, reasoningTokens, reasoningDetails)
	case "RETRIEVER":
		s.listed()
	}
}

// openInferenceKinds are OpenInference's for the kinds of LangSmith and the operations
// of the semantic conventions.
var openInferenceKinds = map[string]string{
	"llm": "LLM", "retriever": "RETRIEVER", "tool": "TOOL", "embedding": "EMBEDDING", "chain": "CHAIN", "prompt": "CHAIN", "parser": "CHAIN",
	"chat": "LLM", "text_completion": "LLM", "generate_content": "LLM", "embeddings": "EMBEDDING", "retrieval": "RETRIEVER", "vector_db_retrieve": "RETRIEVER",
	"execute_tool": "TOOL", "invoke_agent": "AGENT", "create_agent": "AGENT",
}
