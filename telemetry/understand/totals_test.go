package understand

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

// totals adds up what a recorder is told, whatever the order.
type totals struct {
	Counts map[string]int64
}

func newTotals() *totals { return &totals{Counts: map[string]int64{}} }

func (s *totals) Chat(c *telemetry.Chat) {
	s.Counts["chat "+c.Outcome.String()+" "+c.RAG.String()]++
	s.Counts["chat calls"] += c.LLMCalls
	s.Counts["chat tokens"] += c.Tokens
	s.Counts["chat duration"] += int64(c.Duration)
}

func (s *totals) ChatAddition(c *telemetry.ChatAddition) {
	s.Counts["chat calls"] += c.LLMCalls
	s.Counts["chat tokens"] += c.Tokens
}

func (s *totals) Retrieval(r *telemetry.Retrieval) {
	s.Counts["retrieval "+r.Result.String()]++
	s.Counts["similarity"] += int64(math.Round(r.MeanSimilarity * 1e9))
}

func (s *totals) LLMCall(c *telemetry.LLMCall) {
	s.Counts["llm "+c.Model()+" "+c.Outcome.String()]++
	s.Counts["llm tokens"] += c.Tokens.Total()
	s.Counts["llm duration"] += int64(c.Duration)
}

func (s *totals) Embedding(c *telemetry.Embedding) { s.Counts["embedding"]++ }
func (s *totals) Rerank(c *telemetry.Rerank)       { s.Counts["rerank"]++ }
func (s *totals) ToolCall(*telemetry.ToolCall)     { s.Counts["tool"]++ }
func (s *totals) Feedback(*telemetry.Feedback)     { s.Counts["feedback"]++ }
func (s *totals) Rejected(reason string, n int64)  { s.Counts["rejected "+reason] += n }
func (s *totals) Unmapped(name string, n int64)    { s.Counts["unmapped"] += n }
func (s *totals) Late(n int64)                     { s.Counts["late"] += n }

func (s *totals) Span(d telemetry.Disposition, reason, service string, n int64) {
	s.Counts["spans "+d.String()+" "+reason] += n
	s.Counts["spans"] += n
}

// traceOf draws a trace of any shape and kinds.
func traceOf(t *rapid.T, id byte) []step {
	n := rapid.IntRange(1, 14).Draw(t, "spans")
	kinds := []string{"", "CHAIN", "LLM", "RETRIEVER", "TOOL", "AGENT", "EMBEDDING", "RERANKER", "PARSER"}
	var steps []step
	spans := make([]*otlp.SpanData, n)
	for i := range n {
		sp := &otlp.SpanData{Name: fmt.Sprint("span ", i), Kind: otlp.SpanKind(rapid.IntRange(1, 5).Draw(t, "kind"))}
		sp.TraceID[0], sp.SpanID[6], sp.SpanID[7] = id, id, byte(i+1)
		start, end := uint64(i)*1e6, uint64(1000-i)*1e6
		if i > 0 {
			parent := rapid.IntRange(-1, i-1).Draw(t, "parent")
			if parent < 0 {
				sp.ParentID[7] = 200
			} else {
				sp.ParentID = spans[parent].SpanID
			}
		}
		sp.Start, sp.End = uint64(epoch.UnixNano())+start, uint64(epoch.UnixNano())+end
		kind := rapid.SampledFrom(kinds).Draw(t, "dialect")
		if kind != "" {
			sp.Attributes = append(sp.Attributes, otlp.Str("openinference.span.kind", kind))
		}
		switch kind {
		case "LLM":
			sp.Attributes = append(sp.Attributes, otlp.Str("llm.model_name", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "model")))
			if tokens := rapid.IntRange(0, 50).Draw(t, "tokens"); tokens > 20 {
				sp.Attributes = append(sp.Attributes, otlp.I64("llm.token_count.total", int64(tokens)))
			}
		case "RETRIEVER":
			sp.Attributes = append(sp.Attributes, otlp.Str("output.value",
				rapid.SampledFrom([]string{`{"documents":[]}`, `{"documents":[{"score":0.5}]}`, `{}`, `[{"score":0.01}]`}).Draw(t, "output")))
		}
		if rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
			sp.Status = otlp.StatusError
		}
		spans[i] = sp
		steps = append(steps, step{span: sp, resource: rapid.SampledFrom([]string{"app", "back"}).Draw(t, "service"), scope: "s"})
	}
	return steps
}

// TestOrderAndSplitDoNotMatter: spans in any order, in requests of any size within
// the delays, give the same totals, and each span one disposition.
func TestOrderAndSplitDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := slices.Concat(traceOf(t, 1), traceOf(t, 2))
		run := func(steps []step) map[string]int64 {
			rec := newTotals()
			e, err := New(DefaultConfig(), rec)
			if err != nil {
				t.Fatal(err)
			}
			for i := range steps {
				if err := e.Traces(epoch.Add(steps[i].at), 0, steps[i].request()); err != nil {
					t.Fatal(err)
				}
			}
			e.Flush()
			if e.Open() != 0 || rec.Counts["spans"] != int64(len(steps)) {
				t.Fatalf("%d spans, %d with a disposition, %d open", len(steps), rec.Counts["spans"], e.Open())
			}
			return rec.Counts
		}
		want := run(steps)
		shuffled := slices.Clone(steps)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for i := range shuffled {
			shuffled[i].at = time.Duration(i) * 200 * time.Millisecond
		}
		if diff := cmp.Diff(want, run(shuffled)); diff != "" {
			t.Fatalf("in another order (-in order +shuffled):\n%s", diff)
		}
	})
}

// TestSumsAgree: what chats tell of calls and tokens is what the calls tell, where
// every call belongs to a chat.
func TestSumsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := newTotals()
		e, err := New(DefaultConfig(), rec)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(0)
		for _, s := range slices.Concat(traceOf(t, 1), traceOf(t, 2)) {
			// Some spans come late.
			at += time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 8, 60}).Draw(t, "pause")) * time.Second
			if err := e.Traces(epoch.Add(at), 0, s.request()); err != nil {
				t.Fatal(err)
			}
		}
		e.Flush()
		var calls int64
		for what, n := range rec.Counts {
			if strings.HasPrefix(what, "llm a ") || strings.HasPrefix(what, "llm b ") {
				calls += n
			}
		}
		if calls != rec.Counts["chat calls"] || rec.Counts["llm tokens"] != rec.Counts["chat tokens"] {
			t.Fatalf("calls %d, of chats %d; tokens %d, of chats %d",
				calls, rec.Counts["chat calls"], rec.Counts["llm tokens"], rec.Counts["chat tokens"])
		}
	})
}
