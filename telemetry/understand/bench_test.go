package understand

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

// silent is a recorder that costs nothing.
type silent struct{}

func (silent) Chat(*telemetry.Chat)                              {}
func (silent) ChatAddition(*telemetry.ChatAddition)              {}
func (silent) Retrieval(*telemetry.Retrieval)                    {}
func (silent) LLMCall(*telemetry.LLMCall)                        {}
func (silent) Embedding(*telemetry.Embedding)                    {}
func (silent) Rerank(*telemetry.Rerank)                          {}
func (silent) ToolCall(*telemetry.ToolCall)                      {}
func (silent) Feedback(*telemetry.Feedback)                      {}
func (silent) Span(telemetry.Disposition, string, string, int64) {}
func (silent) Rejected(string, int64)                            {}
func (silent) Unmapped(string, int64)                            {}
func (silent) Late(int64)                                        {}

// load is one request of 128 RAG traces of four spans with 34 attributes in all,
// whose ids are rewritten in place from one iteration to the next.
type load struct {
	body []byte
	ids  [][]byte // where trace and span ids stand
}

const loadTraces = 128

func newLoad(genai bool) *load {
	var spans []otlp.SpanData
	mark := func(kind byte, trace, span int) (id [16]byte) {
		copy(id[:], "~id")
		id[3] = kind
		binary.BigEndian.PutUint32(id[4:], uint32(trace))
		binary.BigEndian.PutUint32(id[8:], uint32(span))
		return id
	}
	start := uint64(epoch.UnixNano())
	common := []otlp.KV{otlp.Str("thread.name", "main"), otlp.I64("thread.id", 7), otlp.Str("code.function", "answer")}
	for n := range loadTraces {
		add := func(i, parent int, name string, kind otlp.SpanKind, attributes ...otlp.KV) {
			sp := otlp.SpanData{
				TraceID: mark('t', n, 0), Name: name, Kind: kind, Status: otlp.StatusOK,
				Start: start + uint64(i)*1e6, End: start + 1e9 - uint64(i)*1e6, Attributes: append(attributes, common...),
			}
			sp.SpanID = [8]byte{'~', 's', byte(n), byte(i)}
			if parent >= 0 {
				sp.ParentID = [8]byte{'~', 's', byte(n), byte(parent)}
			}
			spans = append(spans, sp)
		}
		if !genai {
			for i := range 4 {
				add(i, i-1, "GET /items", otlp.KindClient, otlp.Str("http.request.method", "GET"),
					otlp.I64("http.response.status_code", 200), otlp.Str("server.address", "host"), otlp.Str("url.path", "/items"))
			}
			continue
		}
		add(0, -1, "POST /chat", otlp.KindServer, otlp.Str("http.request.method", "POST"), otlp.Str("http.route", "/chat"),
			otlp.I64("http.response.status_code", 200), otlp.Str("url.scheme", "https"))
		add(1, 0, "rag", otlp.KindInternal, otlp.Str("openinference.span.kind", "CHAIN"), otlp.Str("input.value", "question"))
		add(2, 1, "search", otlp.KindInternal, otlp.Str("openinference.span.kind", "RETRIEVER"),
			otlp.Str("retrieval.documents.0.document.content", "some text of a document"), otlp.F64("retrieval.documents.0.document.score", 0.8),
			otlp.Str("retrieval.documents.1.document.content", "some text of a document"), otlp.F64("retrieval.documents.1.document.score", 0.6))
		add(3, 1, "chat gpt-4o", otlp.KindClient, otlp.Str("gen_ai.operation.name", "chat"), otlp.Str("gen_ai.provider.name", "openai"),
			otlp.Str("gen_ai.request.model", "gpt-4o"), otlp.Str("gen_ai.response.model", "gpt-4o-2024-08-06"),
			otlp.I64("gen_ai.usage.input_tokens", 100), otlp.I64("gen_ai.usage.output_tokens", 50),
			otlp.Str("gen_ai.input.messages", "[...]"), otlp.Str("gen_ai.output.messages", "[...]"),
			otlp.F64("gen_ai.request.temperature", 0.2), otlp.I64("gen_ai.request.max_tokens", 500), otlp.Str("server.address", "api.openai.com"),
			otlp.I64("server.port", 443))
	}
	l := &load{body: otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", "app")},
		Scopes:     []otlp.ScopeData{{Name: "bench", Spans: spans}},
	})}
	for i := 0; i+3 < len(l.body); i++ {
		switch string(l.body[i : i+3]) {
		case "~id":
			l.ids = append(l.ids, l.body[i+12:i+16])
		}
	}
	return l
}

// renew makes all traces of the request new ones.
func (l *load) renew(n uint32) {
	for _, id := range l.ids {
		binary.BigEndian.PutUint32(id, n)
	}
}

func BenchmarkEngine(b *testing.B) {
	for _, genai := range []bool{true, false} {
		b.Run(fmt.Sprintf("genai=%v", genai), func(b *testing.B) {
			e, err := New(DefaultConfig(), silent{})
			if err != nil {
				b.Fatal(err)
			}
			l := newLoad(genai)
			if len(l.ids) != 4*loadTraces {
				b.Fatalf("%d ids", len(l.ids))
			}
			b.ReportAllocs()
			at := epoch
			n := uint32(0)
			for b.Loop() {
				n++
				l.renew(n)
				at = at.Add(100 * time.Millisecond)
				if err := e.Traces(at, 0, l.body); err != nil {
					b.Fatal(err)
				}
			}
			perSpan := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / (4 * loadTraces)
			b.ReportMetric(perSpan, "ns/span")
		})
	}
}

type noVisit struct{}

func (noVisit) Resource(*otlp.Resource) {}
func (noVisit) Scope(*otlp.Scope)       {}
func (noVisit) Span(*otlp.Span)         {}

// BenchmarkScan is the part of BenchmarkEngine that the scanner takes.
func BenchmarkScan(b *testing.B) {
	l := newLoad(true)
	var s otlp.Scanner
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Traces(l.body, noVisit{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(4*loadTraces), "ns/span")
}
