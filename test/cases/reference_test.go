package cases

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/understand"
)

// gathering reads every span of a request, and keeps the first of each id.
type gathering struct {
	*understand.Reader
	traces map[[16]byte][]understand.Span
}

func (g gathering) Span(sp *otlp.Span) {
	var s understand.Span
	g.Read(sp, &s)
	known := func(k understand.Span) bool { return k.ID == s.ID }
	if !slices.ContainsFunc(g.traces[s.TraceID], known) {
		g.traces[s.TraceID] = append(g.traces[s.TraceID], s)
	}
}

// naively counts a request by the naive rules; false if some trace of it is not one
// tree, or not to be told by the rules alone.
func naively(t testing.TB, body []byte) (tally, bool) {
	t.Helper()
	r, err := understand.NewReader(understand.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	g := gathering{r, map[[16]byte][]understand.Span{}}
	var scanner otlp.Scanner
	if scanner.Traces(body, g) != nil {
		return tally{}, false
	}
	var sum tally
	for _, spans := range g.traces {
		n, ok := treeOf(spans)
		if !ok || len(spans) > 60 || n.ambiguous() {
			return tally{}, false
		}
		one := n.count()
		sum.Chats += one.Chats
		sum.Calls += one.Calls
		sum.Failed += one.Failed
		sum.Tokens += one.Tokens
		sum.ChatCalls += one.ChatCalls
		sum.ChatTokens += one.ChatTokens
		sum.Searches += one.Searches
		sum.Found += one.Found
		sum.Empty += one.Empty
		sum.Embeddings += one.Embeddings
		sum.Reranks += one.Reranks
		sum.Tools += one.Tools
	}
	return sum, true
}

// tally is what an engine counted, in the naive counter's terms.
func (w *witness) tally() tally {
	t := tally{
		Chats: int64(len(w.Chats)), Calls: int64(len(w.Calls)), Searches: int64(len(w.Searches)),
		Embeddings: int64(len(w.Embeddings)), Reranks: int64(len(w.Reranks)), Tools: int64(w.Tools),
		ChatCalls: w.added.LLMCalls, ChatTokens: w.added.Tokens, Tokens: w.unsplit,
	}
	for _, c := range w.Chats {
		t.ChatCalls += int64(c.LLMCalls)
		t.ChatTokens += c.Tokens
	}
	for _, c := range w.Calls {
		t.Tokens += value(c.Input) + value(c.Output)
		if c.Outcome == telemetry.Failed.String() {
			t.Failed++
		}
	}
	for _, s := range w.Searches {
		switch s.Result {
		case telemetry.Found.String():
			t.Found++
		case telemetry.Empty.String():
			t.Empty++
		}
	}
	return t
}

// count gives what an engine makes of one request; false if it does not decode.
func count(t testing.TB, body []byte) (*witness, bool) {
	t.Helper()
	w := newWitness()
	e, err := understand.New(understand.DefaultConfig(), w)
	if err != nil {
		t.Fatal(err)
	}
	if e.Traces(epoch, 0, body) != nil {
		return w, false
	}
	e.Flush()
	if e.Open() != 0 {
		t.Errorf("%d spans stay open", e.Open())
	}
	return w, true
}

// again is a request taken apart and put together by protobuf-go, the slow way:
// what the scanner makes of the one it makes of the other.
func again(body []byte) ([]byte, bool) {
	var request collector.ExportTraceServiceRequest
	if proto.Unmarshal(body, &request) != nil {
		return nil, false
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&request)
	return body, err == nil
}

// agree holds the engine to the naive rules, and to itself on what protobuf-go
// decodes.
func agree(t testing.TB, body []byte) (compared bool) {
	t.Helper()
	w, ok := count(t, body)
	if !ok {
		return false
	}
	for name, n := range w.dispositions {
		if n < 0 {
			t.Errorf("%d spans %s", n, name)
		}
	}
	for _, c := range w.Calls {
		for _, n := range []int64{value(c.Input), value(c.Output), value(c.CacheRead), value(c.CacheWrite), value(c.Reasoning)} {
			if n < 0 {
				t.Errorf("a call with %d tokens", n)
			}
		}
	}
	if slow, ok := again(body); ok {
		theirs, ok := count(t, slow)
		if !ok {
			t.Error("what protobuf-go makes of the request does not decode")
		}
		if diff := gocmp.Diff(lines(w.Truth), lines(theirs.Truth)); diff != "" {
			t.Errorf("(-as sent +by protobuf-go):\n%s", diff)
		}
		if !maps.Equal(w.dispositions, theirs.dispositions) {
			t.Errorf("%v as sent, %v by protobuf-go", w.dispositions, theirs.dispositions)
		}
	}
	want, ok := naively(t, body)
	if !ok {
		return false
	}
	if diff := gocmp.Diff(want, w.tally()); diff != "" {
		t.Errorf("(-naive +engine):\n%s", diff)
	}
	return true
}

// TestNaiveRulesAgreeOnCases: the rules as written give what the engine gives.
func TestNaiveRulesAgreeOnCases(t *testing.T) {
	compared := 0
	for _, c := range told(t) {
		if c.Settings != nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if agree(t, requestOf(t, piecesOf(t, &c))) {
				compared++
			}
		})
	}
	if compared < 40 {
		t.Errorf("only %d cases are trees and could be compared", compared)
	}
}

// TestNaiveRulesAgreeOnTrees: the same of trees of any shape.
func TestNaiveRulesAgreeOnTrees(t *testing.T) {
	compared := 0
	rapid.Check(t, func(rt *rapid.T) {
		body := tree(rt)
		want, ok := naively(t, body)
		if !ok {
			return
		}
		compared++
		w, _ := count(t, body)
		if diff := gocmp.Diff(want, w.tally()); diff != "" {
			rt.Fatalf("%s\n(-naive +engine):\n%s", drawn(t, body), diff)
		}
	})
	if compared == 0 {
		t.Error("no tree was compared")
	}
}

// tree draws a trace that is one tree, of every kind of span.
func tree(t *rapid.T) []byte {
	const base = uint64(1_760_000_000_000_000_000)
	n := rapid.IntRange(1, 12).Draw(t, "spans")
	scopes := make([][]otlp.SpanData, 2)
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "times"), 0))
	ends := r.Perm(n)
	for i := range n {
		sp := otlp.SpanData{TraceID: [16]byte{1}, SpanID: [8]byte{7: byte(i + 1)}, Name: fmt.Sprint(i)}
		sp.Kind = otlp.SpanKind(rapid.SampledFrom([]int{1, 1, 1, 2, 3, 5}).Draw(t, "span kind"))
		if i > 0 {
			sp.ParentID[7] = byte(rapid.IntRange(0, i-1).Draw(t, "parent") + 1)
		}
		sp.Start, sp.End = base+uint64(i)*1e6, base+uint64(1000+ends[i])*1e6
		switch kind := rapid.SampledFrom([]string{
			"", "CHAIN", "CHAIN", "LLM", "LLM", "LLM", "RETRIEVER", "RETRIEVER", "TOOL", "AGENT", "EMBEDDING", "RERANKER", "GUARDRAIL", "store", "entry", "task",
		}).Draw(t, "kind"); kind {
		case "":
		case "store":
			sp.Attributes = append(sp.Attributes, otlp.Str("db.system", "chroma"), otlp.Str("db.operation", rapid.SampledFrom([]string{"query", "add"}).Draw(t, "operation")))
		case "entry":
			if rapid.IntRange(0, 3).Draw(t, "marked") == 0 {
				sp.Attributes = append(sp.Attributes, otlp.Str("treq.span.kind", "chat"))
			}
		case "task":
			sp.Attributes = append(sp.Attributes, otlp.Str("treq.span.kind", "task"))
		case "RETRIEVER":
			sp.Attributes = append(sp.Attributes, otlp.Str("openinference.span.kind", kind), otlp.Str("output.value",
				rapid.SampledFrom([]string{`{"documents":[]}`, `{"documents":[{"score":0.5}]}`, `{}`}).Draw(t, "output")))
		default:
			sp.Attributes = append(sp.Attributes, otlp.Str("openinference.span.kind", kind))
			if rapid.Bool().Draw(t, "model") {
				sp.Attributes = append(sp.Attributes, otlp.Str("llm.model_name", "m"))
			}
			if tokens := rapid.IntRange(0, 3).Draw(t, "tokens"); tokens > 0 {
				sp.Attributes = append(sp.Attributes, otlp.I64("llm.token_count.total", int64(10*tokens)))
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
			sp.Status = otlp.StatusError
		}
		scope := rapid.IntRange(0, 1).Draw(t, "scope")
		scopes[scope] = append(scopes[scope], sp)
	}
	var resource otlp.ResourceData
	resource.Attributes = []otlp.KV{otlp.Str("service.name", "app")}
	for i, spans := range scopes {
		resource.Scopes = append(resource.Scopes, otlp.ScopeData{Name: fmt.Sprint("scope ", i), Spans: spans})
	}
	return otlp.AppendTraceRequest(nil, resource)
}

// drawn shows a request.
func drawn(t testing.TB, body []byte) string {
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, r := range request.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, sp := range s.Spans {
				text += fmt.Sprintf("%s %x below %x %d-%d %s %v %v\n", s.Scope.GetName(), sp.SpanId, sp.ParentSpanId,
					sp.StartTimeUnixNano/1e6%1e4, sp.EndTimeUnixNano/1e6%1e4, sp.Kind, sp.Status.GetCode(), sp.Attributes)
			}
		}
	}
	return text
}

// FuzzUnderstanding: no request makes the engine panic, count what is negative,
// lose a span, or count otherwise than the naive rules and protobuf-go do.
func FuzzUnderstanding(f *testing.F) {
	for i, c := range told(f) {
		if i%4 == 0 {
			f.Add(requestOf(f, piecesOf(f, &c)))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 1<<16 {
			agree(t, body)
		}
	})
}

var _ otlp.TraceVisitor = gathering{}
