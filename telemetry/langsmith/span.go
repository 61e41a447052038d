package langsmith

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// DefaultProject is where LangSmith puts runs that name no project.
const DefaultProject = "default"

// Service is the project that the run belongs to: the name of the service whose
// run it is, since the protocol tells no other.
func (r *Run) Service() string {
	if r.Project == "" {
		return DefaultProject
	}
	return r.Project
}

// SDK is the version of the SDK that sent the run, "" if it does not say.
func (r *Run) SDK() string {
	return textOf(members(members(r.extra)["runtime"])["sdk_version"])
}

// Span gives the run as a span of these ids, in the words of the SDK's own OTLP
// exporter, with the run's ids stamped on. state, "" for a run that has ended, says
// why it is told although it has not: such a span has no end. The bytes are the
// run's.
func (r *Run) Span(id, parent [8]byte, state string) otlp.SpanData {
	extra := members(r.extra)
	metadata := members(extra["metadata"])
	s := otlp.SpanData{
		TraceID: r.Trace, SpanID: id, ParentID: parent, Name: r.Name, Kind: otlp.KindInternal,
		Start: uint64(r.Start), End: uint64(r.End), Status: otlp.StatusOK,
	}
	if s.Name == "" {
		s.Name = r.kind()
	}
	if s.Start == 0 {
		s.Start = s.End
	}
	b := builder{span: &s}
	b.identity(r)
	b.model(r, extra, metadata)
	b.labels(r, extra, metadata)
	b.content(semconv.GenAIPrompt, r.inputs)
	b.content(semconv.GenAICompletion, r.outputs)
	b.failed(r)
	b.happened(r)
	if state != "" {
		s.End, s.Status = 0, otlp.StatusUnset
		b.text(semconv.TreqRunState, state)
		s.StatusMessage = "no end of this run was told"
	}
	return s
}

func (r *Run) kind() string {
	if r.Type == "" {
		return "chain"
	}
	return r.Type
}

// operations are the values of gen_ai.operation.name as the SDKs choose them.
var operations = map[string]string{
	"llm": "chat", "tool": "execute_tool", "retriever": "embeddings", "embedding": "embeddings", "prompt": "chat",
}

// builder adds to one span.
type builder struct{ span *otlp.SpanData }

func (b builder) add(kv otlp.KV) { b.span.Attributes = append(b.span.Attributes, kv) }

func (b builder) text(key, value string) {
	if value != "" {
		b.add(otlp.Str(key, value))
	}
}

func (b builder) identity(r *Run) {
	b.text(semconv.LSSpanKind, r.kind())
	b.text(semconv.LSSpanID, r.ID.String())
	b.text(semconv.LSTraceID, r.Trace.String())
	if r.Parent != (ID{}) {
		b.text(semconv.LSParentID, r.Parent.String())
	} else {
		b.add(otlp.Flag(semconv.LSIsRoot, true))
	}
	b.text(semconv.LSDottedOrder, r.Order)
	b.text(semconv.LSTraceName, r.Name)
	b.text(semconv.LSProject, r.Service())
	b.text(semconv.LSProjectID, r.ProjectID)
	b.text(semconv.LSExample, r.Example)
	operation := operations[r.kind()]
	if operation == "" {
		operation = r.kind()
	}
	b.text(semconv.GenAIOperationName, operation)
}

// model adds what is told of the model, where LangChain and the SDK's wrappers put it.
func (b builder) model(r *Run, extra, metadata map[string]json.RawMessage) {
	provider := strings.ToLower(textOf(metadata["ls_provider"]))
	if provider == "" {
		provider = "langchain" // what the SDKs say who know none
	}
	b.text(semconv.GenAISystem, provider)
	parameters := extra["invocation_params"]
	if !hollow(parameters) {
		b.add(otlp.Str(semconv.OIInvocationParameters, valid(parameters)))
	}
	switch r.kind() {
	case "llm", "embedding":
	default:
		return
	}
	named := members(parameters)
	for _, name := range []json.RawMessage{metadata["ls_model_name"], named["model"], named["model_name"]} {
		if text := textOf(name); text != "" {
			b.text(semconv.GenAIRequestModel, text)
			break
		}
	}
	u := r.usage(metadata)
	if u == nil {
		return
	}
	// What the metadata tells is added with the metadata.
	if hollow(metadata["usage_metadata"]) {
		b.add(otlp.Str(semconv.LSUsageMetadata, valid(u)))
	}
	var counts struct {
		Input  *float64 `json:"input_tokens"`
		Output *float64 `json:"output_tokens"`
		Total  *float64 `json:"total_tokens"`
	}
	if json.Unmarshal(u, &counts) != nil {
		return
	}
	for _, one := range []struct {
		key string
		n   *float64
	}{{semconv.GenAIInputTokens, counts.Input}, {semconv.GenAIOutputTokens, counts.Output}, {semconv.GenAITotalTokens, counts.Total}} {
		if one.n != nil && *one.n >= 0 && *one.n < 1<<53 {
			b.add(otlp.I64(one.key, int64(*one.n)))
		}
	}
}

// usage finds LangChain's usage object: among the metadata, in the outputs, or in
// the first message that was generated; nil if it is in none of these.
func (r *Run) usage(metadata map[string]json.RawMessage) json.RawMessage {
	if u := metadata["usage_metadata"]; !hollow(u) {
		return u
	}
	var o struct {
		Usage       json.RawMessage `json:"usage_metadata"`
		Generations json.RawMessage `json:"generations"`
	}
	if len(r.outputs) == 0 || json.Unmarshal(r.outputs, &o) != nil {
		return nil
	}
	if !hollow(o.Usage) {
		return o.Usage
	}
	type generation struct {
		Message struct {
			Kwargs struct {
				Usage json.RawMessage `json:"usage_metadata"`
			} `json:"kwargs"`
			Usage json.RawMessage `json:"usage_metadata"`
		} `json:"message"`
	}
	var nested [][]generation
	if json.Unmarshal(o.Generations, &nested) != nil || len(nested) != 1 || len(nested[0]) != 1 {
		return nil // of several, the sum is told elsewhere
	}
	m := &nested[0][0].Message
	for _, u := range []json.RawMessage{m.Kwargs.Usage, m.Usage} {
		if !hollow(u) {
			return u
		}
	}
	return nil
}

// maxMetadata bounds the metadata that become attributes of their own.
const maxMetadata = 200

func (b builder) labels(r *Run, extra, metadata map[string]json.RawMessage) {
	names := make([]string, 0, len(metadata))
	for name := range metadata {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names[:min(len(names), maxMetadata)] {
		if v := metadata[name]; told(v) {
			b.add(otlp.Str(semconv.LSMetadata+strings.ToValidUTF8(name, "\uFFFD"), strings.ToValidUTF8(textOf(v), "\uFFFD")))
		}
	}
	var tags []string
	if json.Unmarshal(r.tags, &tags) == nil && len(tags) > 0 {
		b.text(semconv.LSTags, strings.Join(tags, ", "))
	}
	if runtime := extra["runtime"]; !hollow(runtime) {
		b.add(otlp.Str(semconv.LSRuntime, valid(runtime)))
	}
	b.text(semconv.LSSerializedName, textOf(members(r.serialized)["name"]))
}

func (b builder) content(key string, v []byte) {
	if !hollow(v) {
		b.add(otlp.Str(key, valid(v)))
	}
}

// failed adds what went wrong: the exception's class, its message, and the stack
// behind it, out of the text in which the SDKs join them.
func (b builder) failed(r *Run) {
	text := strings.ToValidUTF8(textOf(r.failure), "\uFFFD")
	if text == "" {
		return
	}
	message, stack, _ := strings.Cut(text, "\n")
	stack = strings.TrimSpace(stack)
	b.span.Status, b.span.StatusMessage = otlp.StatusError, message
	attributes := []otlp.KV{otlp.Str(semconv.ExceptionMessage, message)}
	if class := classOf(message); class != "" {
		attributes = append(attributes, otlp.Str(semconv.ExceptionType, class))
	}
	if stack != "" {
		attributes = append(attributes, otlp.Str(semconv.ExceptionStacktrace, stack))
	}
	at := b.span.End
	if at == 0 {
		at = b.span.Start
	}
	b.span.Events = append(b.span.Events, otlp.EventData{Time: at, Name: semconv.EventException, Attributes: attributes})
}

// classOf gives the class of an exception where its text begins with one, as
// ValueError('…') and Error: … do.
func classOf(message string) string {
	for i, c := range []byte(message) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '_', i > 0 && (c == '.' || '0' <= c && c <= '9'):
			if i == 64 {
				return ""
			}
		case i > 0 && (c == '(' || c == ':'):
			return message[:i]
		default:
			return ""
		}
	}
	if len(message) <= 64 {
		return message // an exception without a word
	}
	return ""
}

// maxEvents bounds the events of a span.
const maxEvents = 128

// happened adds the run's events: of the tokens the first, which says when the
// answer began; the others say no more than that they came.
func (b builder) happened(r *Run) {
	var events []struct {
		Name string          `json:"name"`
		Time json.RawMessage `json:"time"`
	}
	if hollow(r.events) || json.Unmarshal(r.events, &events) != nil {
		return
	}
	began := false
	for _, e := range events {
		at := moment(e.Time)
		if at == 0 || e.Name == "" || len(b.span.Events) >= maxEvents {
			continue
		}
		if e.Name == semconv.EventNewToken {
			if began {
				continue
			}
			began = true
		}
		b.span.Events = append(b.span.Events, otlp.EventData{Time: uint64(at), Name: strings.ToValidUTF8(e.Name, "\uFFFD")})
	}
}

// valid gives JSON as text of valid UTF-8, in which it is to be sent.
func valid(b []byte) string {
	b = bytes.TrimSpace(b)
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
