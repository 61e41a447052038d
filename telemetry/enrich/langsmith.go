package enrich

import (
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// LangSmith gives a trace request with what LangSmith's mapping of OTLP misses: the
// provider under the name it reads, the conversation and the user as metadata, the
// kind of operations it has no word for, documents with their scores, cached and
// reasoning tokens, and an exception for a status that tells an error without one.
func LangSmith(body []byte) []byte { return request(body, langSmith) }

func langSmith(s *span) {
	if !s.has(semconv.GenAISystem, semconv.OISystem, semconv.LSProvider) {
		s.add(semconv.GenAISystem, s.text(semconv.GenAIProviderName, semconv.OIProvider))
	}
	if !s.has(semconv.LSMetaSessionID, semconv.LSMetaThreadID, semconv.LSMetaConversationID) {
		s.add(semconv.LSMetaSessionID, s.text(semconv.GenAIConversationID, semconv.OISessionID, semconv.LFSessionID))
	}
	s.add(semconv.LSMetaUserID, s.text(semconv.UserID, semconv.EndUserID, semconv.LFUserID, semconv.GenAIUser))
	if !s.has(semconv.OISpanKind) {
		s.add(semconv.LSSpanKind, runTypes[s.text(semconv.GenAIOperationName)])
	}
	s.usage()
	s.documents()
	s.exception()
}

// runTypes are the kinds of LangSmith for operations that it does not know.
var runTypes = map[string]string{
	"retrieval": "retriever", "embeddings": "embedding", "execute_tool": "tool",
	"text_completion": "llm", "generate_content": "llm",
}

// usage tells the tokens as LangSmith's SDK does where some of them have a kind.
func (s *span) usage() {
	read, reads := s.number(semconv.GenAICacheRead, semconv.GenAICacheReadOld, semconv.OICacheRead)
	written, writes := s.number(semconv.GenAICacheCreation, semconv.GenAICacheWrite, semconv.GenAICacheCreationOld, semconv.OICacheWrite)
	thought, thinks := s.number(semconv.GenAIReasoning, semconv.GenAIReasoningTokens, semconv.OIReasoning)
	if !reads && !writes && !thinks || s.has(semconv.LSUsageMetadata, semconv.LSMetaUsage) {
		return
	}
	input, _ := s.number(semconv.GenAIInputTokens, semconv.GenAIPromptTokens, semconv.OIPromptTokens)
	output, _ := s.number(semconv.GenAIOutputTokens, semconv.GenAICompletionTokens, semconv.OICompletionTokens)
	total, told := s.number(semconv.GenAITotalTokens, semconv.OITotalTokens)
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
	s.add(semconv.LSUsageMetadata, asJSON(usage))
}

// documents tells what a retrieval found. OpenInference's documents are known but for
// their scores, which go into their metadata; those of the semantic conventions are not.
func (s *span) documents() {
	for n := 0; ; n++ {
		prefix := semconv.OIDocuments + "." + strconv.Itoa(n) + ".document."
		score, scored := decoded(s.values[prefix+"score"]).(float64)
		if !scored {
			if !s.has(prefix+"content", prefix+"id", prefix+"score") {
				break
			}
			continue
		}
		of := map[string]any{}
		if text := s.text(prefix + "metadata"); text != "" && json.Unmarshal([]byte(text), &of) != nil {
			continue
		}
		if _, there := of["score"]; !there && of != nil {
			of["score"] = score
			s.replace(prefix+"metadata", asJSON(of))
		}
		s.add(prefix+"content", s.text(prefix+"id"))
	}
	if s.has(semconv.GenAICompletion, semconv.OIOutputValue) {
		return
	}
	var found []map[string]any
	if text := s.text(semconv.GenAIRetrievalDocuments); text == "" || json.Unmarshal([]byte(text), &found) != nil {
		return
	}
	documents := make([]map[string]any, 0, len(found))
	for _, d := range found {
		content, of := "", map[string]any{}
		for name, value := range d {
			switch text, isText := value.(string); {
			case isText && (name == "content" || name == "text" || name == "page_content"):
				content = text
			default:
				of[name] = value
			}
		}
		documents = append(documents, map[string]any{"page_content": content, "metadata": of, "type": "Document"})
	}
	s.add(semconv.GenAICompletion, asJSON(map[string]any{"documents": documents}))
	if query := s.text(semconv.GenAIRetrievalQuery); query != "" && !s.has(semconv.OIInputValue) {
		s.add(semconv.GenAIPrompt, asJSON(map[string]any{"query": query}))
	}
}

// exception tells an error as LangSmith knows one.
func (s *span) exception() {
	if !s.failed || s.thrown {
		return
	}
	class := s.text(semconv.ErrorType, semconv.ExceptionType)
	message := strings.TrimSpace(s.message)
	if message == "" {
		message = s.text(semconv.ExceptionMessage)
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
