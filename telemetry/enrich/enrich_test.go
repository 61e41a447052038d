package enrich

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/test/recorded"
)

// made gives a request of spans, each made by a function.
func made(t *testing.T, make ...func(ptrace.Span)) []byte {
	t.Helper()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "treq")
	scope := resource.ScopeSpans().AppendEmpty()
	for i, f := range make {
		span := scope.Spans().AppendEmpty()
		span.SetSpanID([8]byte{byte(i + 1)})
		span.SetTraceID([16]byte{1})
		span.SetEndTimestamp(1000)
		f(span)
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// spans reads a request with the collector's library.
func spans(t *testing.T, body []byte) (all []ptrace.Span) {
	t.Helper()
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		t.Fatal(err)
	}
	for _, resource := range request.Traces().ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				all = append(all, span)
			}
		}
	}
	return all
}

func put(attributes map[string]any) func(ptrace.Span) {
	return func(s ptrace.Span) {
		if err := s.Attributes().FromRaw(attributes); err != nil {
			panic(err)
		}
	}
}

// TestWhatLangSmithMisses adds each thing, and nothing where it is there.
func TestWhatLangSmithMisses(t *testing.T) {
	for _, c := range []struct {
		name       string
		has, added map[string]any
	}{
		{"provider", map[string]any{"gen_ai.provider.name": "groq"}, map[string]any{"gen_ai.system": "groq"}},
		{"provider of OpenInference", map[string]any{"llm.provider": "openai"}, map[string]any{"gen_ai.system": "openai"}},
		{"provider told", map[string]any{"gen_ai.provider.name": "groq", "llm.system": "groq"}, nil},
		{"conversation", map[string]any{"gen_ai.conversation.id": "c1", "user.id": "u1"}, map[string]any{"langsmith.metadata.session_id": "c1", "langsmith.metadata.user_id": "u1"}},
		{"conversation told", map[string]any{"gen_ai.conversation.id": "c1", "langsmith.metadata.thread_id": "c0"}, nil},
		{"operation", map[string]any{"gen_ai.operation.name": "execute_tool"}, map[string]any{"langsmith.span.kind": "tool"}},
		{"operation known", map[string]any{"gen_ai.operation.name": "chat"}, nil},
		{"tokens", map[string]any{
			"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50,
			"gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.cache_creation.input_tokens": 0, "gen_ai.usage.reasoning.output_tokens": 30,
		}, map[string]any{"langsmith.usage_metadata": `{"input_token_details":{"cache_creation":0,"cache_read":60},"input_tokens":100,"output_token_details":{"reasoning":30},"output_tokens":50,"total_tokens":150}`}},
		{"tokens without a kind", map[string]any{"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}, nil},
		{"documents", map[string]any{
			"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "o que é?",
			"gen_ai.retrieval.documents": `[{"id":"d1","score":0.91,"content":"um"},{"id":"d2","score":0.62}]`,
		}, map[string]any{
			"langsmith.span.kind": "retriever", "gen_ai.prompt": `{"query":"o que é?"}`,
			"gen_ai.completion": `{"documents":[{"metadata":{"id":"d1","score":0.91},"page_content":"um","type":"Document"},{"metadata":{"id":"d2","score":0.62},"page_content":"","type":"Document"}]}`,
		}},
		{"documents as values", map[string]any{"gen_ai.retrieval.documents": []any{map[string]any{"id": "d1", "score": 0.5}}}, map[string]any{
			"gen_ai.completion": `{"documents":[{"metadata":{"id":"d1","score":0.5},"page_content":"","type":"Document"}]}`,
		}},
		{"scores of OpenInference", map[string]any{
			"openinference.span.kind":                "RETRIEVER",
			"retrieval.documents.0.document.content": "um", "retrieval.documents.0.document.score": 0.91,
			"retrieval.documents.1.document.content": "dois", "retrieval.documents.1.document.score": 0.5, "retrieval.documents.1.document.metadata": `{"source":"b"}`,
			"retrieval.documents.2.document.content": "três", "retrieval.documents.2.document.score": 0.4, "retrieval.documents.2.document.metadata": `{"score":0.4}`,
		}, map[string]any{
			"retrieval.documents.0.document.metadata": `{"score":0.91}`,
			"retrieval.documents.1.document.metadata": `{"score":0.5,"source":"b"}`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := made(t, put(map[string]any{"other": true}), put(c.has))
			got := LangSmith(body)
			if c.added == nil && !same(got, body) {
				t.Fatal("nothing is missing, and the bytes are others")
			}
			want := map[string]any{}
			for _, from := range []map[string]any{spans(t, body)[1].Attributes().AsRaw(), c.added} {
				for key, value := range from {
					want[key] = value
				}
			}
			if diff := cmp.Diff(want, spans(t, got)[1].Attributes().AsRaw()); diff != "" {
				t.Error(diff)
			}
			if again := LangSmith(got); !same(again, got) {
				t.Error("the second time something is missing again")
			}
		})
	}
}

func TestErrorsWithoutAnException(t *testing.T) {
	fail := func(message string, attributes map[string]any) func(ptrace.Span) {
		return func(s ptrace.Span) {
			put(attributes)(s)
			s.Status().SetCode(ptrace.StatusCodeError)
			s.Status().SetMessage(message)
		}
	}
	thrown := func(s ptrace.Span) {
		fail("boom", nil)(s)
		s.Events().AppendEmpty().SetName("exception")
	}
	body := made(t, fail("boom", map[string]any{"error.type": "timeout"}), fail("", map[string]any{"error.type": "429"}), fail("", nil), thrown, func(ptrace.Span) {})
	got := spans(t, LangSmith(body))
	for i, want := range []string{"boom", "429", "error"} {
		if got[i].Events().Len() != 1 {
			t.Fatalf("span %d has %d events", i, got[i].Events().Len())
		}
		event := got[i].Events().At(0)
		if message, _ := event.Attributes().Get("exception.message"); event.Name() != "exception" || message.Str() != want || event.Timestamp() != 1000 {
			t.Errorf("span %d: %s %v", i, event.Name(), event.Attributes().AsRaw())
		}
	}
	if got[3].Events().Len() != 1 || got[4].Events().Len() != 0 {
		t.Error("an exception was told twice, or a span without an error has one")
	}
}

func TestWhatOthersMiss(t *testing.T) {
	run := map[string]any{
		"langsmith.span.kind": "retriever", "gen_ai.operation.name": "embeddings", "langsmith.metadata.session_id": "c1", "langsmith.metadata.user_id": "u1",
		"gen_ai.prompt": `{"query":"q"}`, "gen_ai.completion": `{"documents":[]}`,
	}
	call := map[string]any{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 5, "gen_ai.conversation.id": "c2"}
	body := made(t, put(run), put(call), put(map[string]any{"gen_ai.operation.name": "retrieval"}), put(map[string]any{"http.route": "/"}))
	added := func(got []byte, i int) map[string]any {
		before, after := spans(t, body)[i].Attributes().AsRaw(), spans(t, got)[i].Attributes().AsRaw()
		for key := range before {
			delete(after, key)
		}
		return after
	}
	langfuse, phoenix := Langfuse(body), Phoenix(body)
	for i, want := range []struct{ langfuse, phoenix map[string]any }{
		{
			map[string]any{"langfuse.observation.type": "retriever", "langfuse.session.id": "c1", "langfuse.user.id": "u1"},
			map[string]any{"openinference.span.kind": "RETRIEVER", "session.id": "c1", "input.value": `{"query":"q"}`, "output.value": `{"documents":[]}`},
		},
		{
			map[string]any{},
			map[string]any{"openinference.span.kind": "LLM", "session.id": "c2", "llm.model_name": "m", "llm.token_count.prompt": int64(7), "llm.token_count.completion": int64(5)},
		},
		{map[string]any{"langfuse.observation.type": "retriever"}, map[string]any{"openinference.span.kind": "RETRIEVER"}},
		{map[string]any{}, map[string]any{}},
	} {
		if diff := cmp.Diff(want.langfuse, added(langfuse, i)); diff != "" {
			t.Errorf("Langfuse, span %d:\n%s", i, diff)
		}
		if diff := cmp.Diff(want.phoenix, added(phoenix, i)); diff != "" {
			t.Errorf("Phoenix, span %d:\n%s", i, diff)
		}
	}
}

// TestRecorded enriches what real clients sent: nothing is lost, and what is not
// changed leaves in the bytes it came in.
func TestRecorded(t *testing.T) {
	for _, c := range recorded.Load(t) {
		for i, body := range c.Requests {
			kept := bytes.Clone(body)
			for name, enrich := range map[string]func([]byte) []byte{"langsmith": LangSmith, "langfuse": Langfuse, "phoenix": Phoenix} {
				got := enrich(body)
				if !bytes.Equal(body, kept) {
					t.Fatalf("%s %d: %s wrote into the request", c.Name, i, name)
				}
				before, after := spans(t, body), spans(t, got)
				if len(before) != len(after) {
					t.Fatalf("%s %d: %d spans became %d", c.Name, i, len(before), len(after))
				}
				for j := range before {
					was, is := before[j].Attributes().AsRaw(), after[j].Attributes().AsRaw()
					for key, value := range was {
						if diff := cmp.Diff(value, is[key]); diff != "" && !json.Valid([]byte(after[j].Attributes().AsRaw()[key].(string))) {
							t.Errorf("%s %d: %s changed %s", c.Name, i, name, key)
						}
					}
				}
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	for _, body := range [][]byte{nil, {}, {0x0a, 0x7f}, []byte("no request")} {
		if got := LangSmith(body); !same(got, body) {
			t.Errorf("%x became %x", body, got)
		}
	}
}

func BenchmarkLangSmith(b *testing.B) {
	var bodies [][]byte
	size := 0
	for _, c := range recorded.Load(b) {
		for _, body := range c.Requests {
			bodies = append(bodies, body)
			size += len(body)
		}
	}
	b.SetBytes(int64(size / len(bodies)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		LangSmith(bodies[i%len(bodies)])
	}
}
