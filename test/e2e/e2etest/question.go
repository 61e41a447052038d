package e2etest

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Question is one question of a user, answered with documents and a model. The
// zero value is an answered question for which the search found nothing.
type Question struct {
	Model         string // default llama-3.1-8b-instant
	Input, Output int64  // tokens
	Scores        []float64
	Failed        bool
	// Content is put into the prompt and the completion.
	Content string
}

// Trace is a question's trace: the spans of the search and the model call first,
// the SERVER span that makes it a chat last.
type Trace struct {
	Question
	Spans []*trace.Span
}

// SpansPerTrace is how many spans a Trace has.
const SpansPerTrace = 4

// Totals is what traces add to the documents.
type Totals struct {
	Chats, Failed, RAGQueries, NoResults, Searches, Calls, Tokens int64
}

// Add adds one trace.
func (t *Totals) Add(q Question) {
	t.Chats++
	t.RAGQueries++
	t.Searches++
	t.Calls++
	t.Tokens += q.Input + q.Output
	if q.Failed {
		t.Failed++
	}
	if len(q.Scores) == 0 {
		t.NoResults++
	}
}

// Of reads the same totals from a document.
func Of(m Metrics) Totals {
	return Totals{
		Chats: m.Chat.TotalRequests, Failed: m.Chat.FailedRequests,
		RAGQueries: m.Chat.RAGQueries, NoResults: m.Chat.RAGNoResults,
		Searches: m.RAG.TotalSearches, Calls: m.LLM.TotalCalls, Tokens: m.LLM.TotalTokens,
	}
}

// Generator makes traces with ids that no other generator makes. It is safe for
// concurrent use.
type Generator struct {
	mu     sync.Mutex
	random *rand.Rand
}

// NewGenerator makes a generator; equal seeds give equal ids.
func NewGenerator(seed uint64) *Generator {
	return &Generator{random: rand.New(rand.NewPCG(seed, 0x7472657120653265))}
}

func (g *Generator) id(n int) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := make([]byte, 0, 16)
	for len(b) < n {
		b = binary.BigEndian.AppendUint64(b, g.random.Uint64()|1)
	}
	return b[:n]
}

// Trace makes the trace of a question that was asked at now.
func (g *Generator) Trace(q Question, now time.Time) *Trace {
	if q.Model == "" {
		q.Model = "llama-3.1-8b-instant"
	}
	traceID, server, search := g.id(16), g.id(8), g.id(8)
	span := func(id, parent []byte, name string, kind trace.Span_SpanKind, start, end time.Duration, attributes ...*common.KeyValue) *trace.Span {
		return &trace.Span{
			TraceId: traceID, SpanId: id, ParentSpanId: parent, Name: name, Kind: kind,
			StartTimeUnixNano: uint64(now.Add(start).UnixNano()),
			EndTimeUnixNano:   uint64(now.Add(end).UnixNano()),
			Attributes:        attributes,
		}
	}
	documents := make([]map[string]any, len(q.Scores))
	for i, score := range q.Scores {
		documents[i] = map[string]any{"id": "doc-" + strconv.Itoa(i), "score": score}
	}
	found, err := json.Marshal(documents)
	if err != nil {
		panic(err) // strings and numbers
	}
	call := []*common.KeyValue{
		Text("gen_ai.operation.name", "chat"), Text("gen_ai.provider.name", "groq"),
		Text("gen_ai.request.model", q.Model), Text("gen_ai.response.model", q.Model),
		Int("gen_ai.usage.input_tokens", q.Input), Int("gen_ai.usage.output_tokens", q.Output),
	}
	if q.Content != "" {
		call = append(call, Text("gen_ai.input.messages", q.Content), Text("gen_ai.output.messages", q.Content))
	}
	status := int64(200)
	if q.Failed {
		status = 500
	}
	entry := span(server, nil, "POST /chat", trace.Span_SPAN_KIND_SERVER, 0, 800*time.Millisecond,
		Text("http.request.method", "POST"), Text("http.route", "/chat"), Int("http.response.status_code", status))
	if q.Failed {
		entry.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR}
	}
	return &Trace{Question: q, Spans: []*trace.Span{
		span(g.id(8), search, "embeddings", trace.Span_SPAN_KIND_CLIENT, 12*time.Millisecond, 30*time.Millisecond,
			Text("gen_ai.operation.name", "embeddings"), Text("gen_ai.request.model", "bge-m3"), Int("gen_ai.usage.input_tokens", 7)),
		span(search, server, "retrieval manuais", trace.Span_SPAN_KIND_CLIENT, 10*time.Millisecond, 110*time.Millisecond,
			Text("gen_ai.operation.name", "retrieval"), Text("gen_ai.data_source.id", "manuais"), Text("gen_ai.retrieval.documents", string(found))),
		span(g.id(8), server, "chat "+q.Model, trace.Span_SPAN_KIND_CLIENT, 150*time.Millisecond, 750*time.Millisecond, call...),
		entry,
	}}
}

// Request wraps spans of one service into a request.
func Request(service string, spans ...*trace.Span) *collector.ExportTraceServiceRequest {
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource:   &resource.Resource{Attributes: []*common.KeyValue{Text("service.name", service)}},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "treq-e2e"}, Spans: spans}},
	}}}
}

// Text makes a string attribute.
func Text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// Int makes an integer attribute.
func Int(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}

// Double makes a floating-point attribute.
func Double(key string, value float64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: value}}}
}
