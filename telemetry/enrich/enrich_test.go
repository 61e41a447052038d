package enrich

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/test/recorded"
)

// made gives a request of spans, each made by a function.
func made(t testing.TB, make ...func(ptrace.Span)) []byte {
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
func spans(t testing.TB, body []byte) (all []ptrace.Span) {
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
		{"provider of Vercel", map[string]any{"ai.model.provider": "groq.chat"}, map[string]any{"gen_ai.system": "groq"}},
		{"provider told", map[string]any{"gen_ai.provider.name": "groq", "llm.system": "groq"}, nil},
		{"conversation", map[string]any{"gen_ai.conversation.id": "c1", "user.id": "u1"}, map[string]any{"langsmith.metadata.session_id": "c1", "langsmith.metadata.user_id": "u1"}},
		{"conversation told", map[string]any{"gen_ai.conversation.id": "c1", "langsmith.metadata.thread_id": "c0"}, nil},
		{"operation", map[string]any{"gen_ai.operation.name": "execute_tool"}, map[string]any{"langsmith.span.kind": "tool"}},
		{"operation of OpenLLMetry", map[string]any{"gen_ai.operation.name": "vector_db_retrieve"}, map[string]any{"langsmith.span.kind": "retriever"}},
		{"operation beside a kind", map[string]any{"gen_ai.operation.name": "retrieval", "openinference.span.kind": "RERANKER"}, map[string]any{"langsmith.span.kind": "chain"}},
		{"operation known", map[string]any{"gen_ai.operation.name": "chat"}, nil},
		{"tokens", map[string]any{
			"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50,
			"gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.cache_creation.input_tokens": 0, "gen_ai.usage.reasoning.output_tokens": 30,
		}, map[string]any{"langsmith.usage_metadata": `{"input_token_details":{"cache_creation":0,"cache_read":60},"input_tokens":100,"output_token_details":{"reasoning":30},"output_tokens":50,"total_tokens":150}`}},
		{"tokens of OpenLLMetry", map[string]any{
			"gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 50, "llm.usage.total_tokens": 150, "gen_ai.usage.cache_read_input_tokens": 60,
			"gen_ai.usage.details.reasoning_tokens": 30,
		}, map[string]any{"langsmith.usage_metadata": `{"input_token_details":{"cache_read":60},"input_tokens":100,"output_token_details":{"reasoning":30},"output_tokens":50,"total_tokens":150}`}},
		{"tokens of Vercel", map[string]any{
			"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, "ai.usage.cachedInputTokens": 60, "ai.usage.reasoningTokens": 30,
		}, map[string]any{"langsmith.usage_metadata": `{"input_token_details":{"cache_read":60},"input_tokens":100,"output_token_details":{"reasoning":30},"output_tokens":50,"total_tokens":150}`}},
		{"tokens of Vercel repeated", map[string]any{"ai.usage.inputTokens": 100, "ai.usage.cachedInputTokens": 60}, nil},
		{"tokens known", map[string]any{"gen_ai.usage.details.reasoning_tokens": 30}, nil},
		{"tokens told by the SDK", map[string]any{"gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.input_token_details": `{"cache_read":60}`}, nil},
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
		{"documents of OpenInference in part", map[string]any{
			"retrieval.documents.0.document.content": "um", "retrieval.documents.1.document.id": "d2", "retrieval.documents.1.document.score": 0.5,
			"retrieval.documents.2.document.metadata": `{"source":"c"}`, "retrieval.documents.x.document.score": 1.0,
		}, map[string]any{
			"retrieval.documents.0.document.metadata": `{}`, "retrieval.documents.1.document.metadata": `{"id":"d2","score":0.5}`,
			"retrieval.documents.1.document.content": "d2", "retrieval.documents.2.document.content": "",
		}},
		{"documents told as output", map[string]any{"gen_ai.retrieval.documents": `[{"id":"d1"}]`, "traceloop.entity.output": "{}"}, nil},
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

// TestResultsOfVectorDatabases makes documents of the events in which OpenLLMetry
// tells what a database found.
func TestResultsOfVectorDatabases(t *testing.T) {
	search := func(s ptrace.Span) {
		put(map[string]any{"db.system": "chroma"})(s)
		for _, c := range []struct {
			event      string
			attributes map[string]any
		}{
			{"db.query.result", map[string]any{
				"db.query.result.id": "d1", "db.query.result.score": 0.9, "db.query.result.document": "um", "db.query.result.metadata": `{"source":"a"}`,
				"db.query.result.vector": []any{1.0}, "other": 1,
			}},
			{"db.search.result", map[string]any{"db.search.result.id": 7, "db.search.result.distance": 0.2, "db.search.result.entity": "e"}},
			{"db.query.embeddings", map[string]any{"db.query.embeddings.vector": "[]"}},
		} {
			event := s.Events().AppendEmpty()
			event.SetName(c.event)
			if err := event.Attributes().FromRaw(c.attributes); err != nil {
				t.Fatal(err)
			}
		}
	}
	body := made(t, search)
	got := LangSmith(body)
	told, _ := spans(t, got)[0].Attributes().Get("gen_ai.completion")
	want := `{"documents":[{"metadata":{"id":"d1","metadata":{"source":"a"},"score":0.9},"page_content":"um","type":"Document"},` +
		`{"metadata":{"distance":0.2,"entity":"e","id":7},"page_content":"","type":"Document"}]}`
	if told.AsString() != want {
		t.Errorf("%s", told.AsString())
	}
	if again := LangSmith(got); !same(again, got) {
		t.Error("the second time something is missing again")
	}
}

// TestDocumentsForPhoenix tells documents one by one, as Phoenix shows them.
func TestDocumentsForPhoenix(t *testing.T) {
	has := map[string]any{"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": `[{"id":"d1","score":0.91,"content":"um"},{"id":2,"score":"x"}]`}
	body := made(t, put(has))
	got := Phoenix(body)
	want := map[string]any{
		"openinference.span.kind": "RETRIEVER", "output.value": has["gen_ai.retrieval.documents"],
		"retrieval.documents.0.document.content": "um", "retrieval.documents.0.document.id": "d1", "retrieval.documents.0.document.score": 0.91,
	}
	for key, value := range has {
		want[key] = value
	}
	if diff := cmp.Diff(want, spans(t, got)[0].Attributes().AsRaw()); diff != "" {
		t.Error(diff)
	}
	if again := Phoenix(got); !same(again, got) {
		t.Error("the second time something is missing again")
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
			map[string]any{"openinference.span.kind": "RETRIEVER", "session.id": "c1", "user.id": "u1", "input.value": `{"query":"q"}`, "output.value": `{"documents":[]}`},
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

var profiles = map[string]func([]byte) []byte{"langsmith": LangSmith, "langfuse": Langfuse, "phoenix": Phoenix}

// TestRecorded enriches what real clients sent: nothing is lost, and what is not
// changed leaves in the bytes it came in.
func TestRecorded(t *testing.T) {
	for _, c := range recorded.Load(t) {
		for i, body := range c.Requests {
			kept := bytes.Clone(body)
			for name, enrich := range profiles {
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

// TestMutated enriches recordings with bytes that are others: whatever comes of it, it
// is no panic, and enriching it again changes nothing.
func TestMutated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range recorded.Load(t) {
		for _, body := range c.Requests {
			for range 50 {
				mutant := bytes.Clone(body)
				for range 1 + r.IntN(8) {
					mutant[r.IntN(len(mutant))] = byte(r.Uint32())
				}
				mutant = mutant[:r.IntN(len(mutant)+1)]
				for _, enrich := range profiles {
					once := enrich(mutant)
					if again := enrich(once); !bytes.Equal(again, once) {
						t.Fatalf("%s: enriched twice, %x is not what it is enriched once", c.Name, mutant)
					}
				}
			}
		}
	}
}

// What LangSmith's profile costs for what real clients sent: where things are missing,
// and where all is there, which is what is looked for in every request.
func BenchmarkLangSmith(b *testing.B) {
	var missing, whole [][]byte
	size, count := 0, 0
	for _, c := range recorded.Load(b) {
		for _, body := range c.Requests {
			missing, whole = append(missing, body), append(whole, LangSmith(body))
			size += len(body)
			count += len(spans(b, body))
		}
	}
	for name, bodies := range map[string][][]byte{"missing": missing, "whole": whole} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size / len(bodies)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				LangSmith(bodies[i%len(bodies)])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*float64(len(bodies))/float64(count), "ns/span")
		})
	}
}

// TestWholeRequestsAllocateNothing: what misses nothing is looked through and let be.
func TestWholeRequestsAllocateNothing(t *testing.T) {
	for _, c := range recorded.Load(t) {
		for i, body := range c.Requests {
			for name, rules := range map[string]func(*span){"langsmith": langSmith, "langfuse": langfuse, "phoenix": phoenix} {
				s := new(span)
				whole := s.request(body, rules)
				if n := testing.AllocsPerRun(20, func() { whole = s.request(whole, rules) }); n >= 1 {
					t.Errorf("%s %d: %s allocates %g times where nothing is missing", c.Name, i, name, n)
				}
			}
		}
	}
}

// TestHasMember reads no further than the outermost braces.
func TestHasMember(t *testing.T) {
	for object, want := range map[string]bool{
		`{"score":1}`: true, `{"a":{"b":[1]}, "score" : 0}`: true, `{"a":{"score":1}}`: false, `{"a":"score"}`: false, `{"a":"\"","score":1}`: true,
		`{"a":"{","score":1}`: true, ``: false, `null`: false, `["score"]`: false, `{"score`: false, `"\`: false,
	} {
		if got := hasMember([]byte(object), "score"); got != want {
			t.Errorf("%s: %v", object, got)
		}
	}
}

// TestFields finds every field by its name, and nothing by another.
func TestFields(t *testing.T) {
	for f := none + 1; f < fieldCount; f++ {
		if names[f] == "" || fieldOf([]byte(names[f])) != f || fieldOf([]byte(names[f]+"x")) != none {
			t.Errorf("field %d, %q, is not found", f, names[f])
		}
	}
	for _, name := range []string{"", "x", "gen_ai.", "http.route"} {
		if f := fieldOf([]byte(name)); f != none {
			t.Errorf("%q is %q", name, names[f])
		}
	}
}
