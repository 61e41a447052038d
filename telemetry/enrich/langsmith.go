package enrich

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// LangSmith gives a trace request with what LangSmith's mapping of OTLP misses: the
// provider under the name it reads, the conversation and the user as metadata, the
// kind of operations it has no word for, documents with their scores, cached and
// reasoning tokens, and an exception for a status that tells an error without one.
func LangSmith(body []byte) []byte { return request(body, langSmith) }

func langSmith(s *span) {
	if !s.has(genAISystem, oiSystem, lsProvider) {
		s.add(genAISystem, s.text(providerName, oiProvider))
		s.add(genAISystem, semconv.Provider(plainText(s.values[aiProvider])))
	}
	if !s.has(lsSessionID, lsThreadID, lsConversationID) {
		s.add(lsSessionID, s.text(conversationID, oiSessionID, lfSessionID))
	}
	if !s.has(lsUserID) {
		s.add(lsUserID, s.text(userID, endUserID, lfUserID, genAIUser))
	}
	s.runType()
	s.usage()
	s.scores()
	s.retrieved()
	s.exception()
}

// runType tells the kind of a run for operations that LangSmith takes for a chain. It
// reads the operation before the kind of OpenInference.
func (s *span) runType() {
	kind := s.among(runTypes, operationName)
	if kind == "" {
		return
	}
	if s.has(oiSpanKind) {
		kind = s.among(runTypesOfOpenInference, oiSpanKind)
	}
	s.add(lsSpanKind, kind)
}

var (
	// runTypes are the kinds of LangSmith for operations that it does not know.
	runTypes = map[string]string{
		"retrieval": "retriever", "vector_db_retrieve": "retriever", "embeddings": "embedding", "execute_tool": "tool",
		"text_completion": "llm", "generate_content": "llm",
	}
	runTypesOfOpenInference = map[string]string{
		"LLM": "llm", "EMBEDDING": "embedding", "RETRIEVER": "retriever", "TOOL": "tool", "PROMPT": "prompt",
		"CHAIN": "chain", "AGENT": "chain", "RERANKER": "chain", "GUARDRAIL": "chain", "EVALUATOR": "chain",
	}
)

// usage tells the tokens as LangSmith's SDK does where some of them have a kind. What
// it tells goes before all that the span tells otherwise, so it tells all of it.
func (s *span) usage() {
	if s.has(lsUsage, lsMetaUsage, lsInputDetails, lsOutputDetails) {
		return
	}
	read, reads := s.number(cacheRead, cacheReadOld, oiCacheRead)
	written, writes := s.number(cacheCreation, cacheWrite, cacheCreationOld, oiCacheWrite)
	thought, thinks := s.number(reasoning, reasoningTokens, oiReasoning)
	// The Vercel AI SDK repeats its own words, but not the conventions', on spans around the call.
	if s.has(aiCached, aiCacheRead, aiCacheWrite, aiThought, aiReasoning) && s.has(inputTokens, promptTokens, outputTokens, completionTokens) {
		if !reads {
			read, reads = s.number(aiCacheRead, aiCached)
		}
		if !writes {
			written, writes = s.number(aiCacheWrite)
		}
		if !thinks {
			thought, thinks = s.number(aiThought, aiReasoning)
		}
	}
	if !reads && !writes && !thinks {
		return
	}
	if !thinks {
		thought, thinks = s.number(reasoningDetails)
	}
	input, _ := s.number(inputTokens, promptTokens, oiPromptTokens, tlPromptTokens)
	output, _ := s.number(outputTokens, completionTokens, oiCompletionTokens, tlCompletionTokens)
	total, told := s.number(totalTokens, oiTotalTokens, tlTotalTokens)
	if !told {
		total = input + output
	}
	usage := map[string]any{"input_tokens": input, "output_tokens": output, "total_tokens": total}
	of := map[string]int64{}
	if reads {
		of["cache_read"] = read
	}
	if writes {
		of["cache_creation"] = written
	}
	if len(of) > 0 {
		usage["input_token_details"] = of
	}
	if thinks {
		usage["output_token_details"] = map[string]int64{"reasoning": thought}
	}
	s.add(lsUsage, asJSON(usage))
}

// exception tells an error as LangSmith knows one.
func (s *span) exception() {
	if !s.failed || s.thrown {
		return
	}
	class := s.text(errorType, exceptionType)
	message := string(bytes.TrimSpace(s.message))
	if message == "" {
		message = s.text(exceptionMessage)
	}
	if message == "" {
		if message = class; message == "" {
			message = "error"
		}
	}
	event := protowire.AppendFixed64(protowire.AppendTag(nil, eventTime, protowire.Fixed64Type), s.end)
	event = protowire.AppendString(protowire.AppendTag(event, eventName, protowire.BytesType), semconv.EventException)
	if class != "" {
		event = protowire.AppendBytes(protowire.AppendTag(event, eventAttributes, protowire.BytesType), keyValue(semconv.ExceptionType, class))
	}
	event = protowire.AppendBytes(protowire.AppendTag(event, eventAttributes, protowire.BytesType), keyValue(semconv.ExceptionMessage, message))
	s.added = protowire.AppendBytes(protowire.AppendTag(s.added, spanEvents, protowire.BytesType), event)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
