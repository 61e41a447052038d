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

// TestRestoreChangesNothing: an engine that is replaced by its restored state at
// any point tells the same events in the same order.
func TestRestoreChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := slices.Concat(traceOf(t, 1), traceOf(t, 2), traceOf(t, 3))
		at := time.Duration(0)
		for i := range steps {
			at += time.Duration(rapid.SampledFrom([]int{0, 0, 1, 7, 40, 400}).Draw(t, "pause")) * time.Second
			steps[i].at = at
		}
		posts := rapid.SliceOfN(rapid.IntRange(0, len(steps)-1), 0, 3).Draw(t, "posts")
		cut := rapid.IntRange(0, len(steps)).Draw(t, "cut")
		run := func(cut int) string {
			rec := &transcript{epoch: epoch.UnixNano()}
			e, err := New(DefaultConfig(), rec)
			if err != nil {
				t.Fatal(err)
			}
			for i := range steps {
				if i == cut {
					e = restored(t, e, rec)
				}
				if err := e.Traces(epoch.Add(steps[i].at), 0, steps[i].request()); err != nil {
					t.Fatal(err)
				}
				for _, p := range posts {
					if p != i {
						continue
					}
					post := step{post: &otlp.LogData{EventName: "treq.chat", Attributes: []otlp.KV{
						otlp.Flag("treq.success", true), otlp.I64("treq.llm.tokens", 30),
						otlp.Str("treq.run.id", fmt.Sprintf("%x", steps[i].span.SpanID)),
					}}}
					if err := e.Logs(epoch.Add(steps[i].at), post.request()); err != nil {
						t.Fatal(err)
					}
				}
			}
			e.Flush()
			rec.addf("%v %+v", e.Entries(), e.Stats().ChatsFromTraces)
			return rec.String()
		}
		if diff := cmp.Diff(run(-1), run(cut)); diff != "" {
			t.Fatalf("restored before step %d (-without +with):\n%s", cut, diff)
		}
	})
}

type fataler interface{ Fatal(...any) }

func restored(t fataler, e *Engine, rec telemetry.Recorder) *Engine {
	state, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(e.config, rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if err := r.Horizon().Load(e.Horizon().Export(nil, 0)); err != nil {
		t.Fatal(err)
	}
	again, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(state) {
		t.Fatal("the restored state encodes otherwise")
	}
	return r
}

func FuzzUnmarshal(f *testing.F) {
	script := parseScript(f, `
chain rag 0-1000 #1
  retriever r 1-2 output.value='{"documents":[{"score":0.5}]}'
  llm gpt 10-900 #2 llm.model_name=gpt-4o llm.token_count.total=5
trace 2
chain rag 0-1000 ^99
  tool t 1-2 tool.name=x
llm gpt 0-1000 ^98 llm.model_name=a
post treq.chat treq.success=true treq.run.id='abc'
post treq.feedback treq.run.id='abc' treq.feedback.score=1
at 10s
trace 1
llm gpt 0-10 ^2
`)
	e, _ := newEngine(f, script.config)
	play(f, e, script.steps)
	state, err := e.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Fuzz(func(t *testing.T, data []byte) {
		e, rec := newEngine(t, DefaultConfig())
		if e.UnmarshalBinary(data) != nil {
			return
		}
		open := e.Open()
		e.Flush()
		if e.Open() != 0 {
			t.Errorf("%d of %d spans stay open", e.Open(), open)
		}
		_ = rec.String()
	})
}

// TestHostileNumbers: no value a sender can choose makes an event hold NaN, an
// infinity, a negative number or more tokens than are exact.
func TestHostileNumbers(t *testing.T) {
	values := []func(string) otlp.KV{
		func(k string) otlp.KV { return otlp.F64(k, math.NaN()) },
		func(k string) otlp.KV { return otlp.F64(k, math.Inf(1)) },
		func(k string) otlp.KV { return otlp.F64(k, math.Inf(-1)) },
		func(k string) otlp.KV { return otlp.F64(k, 1e308) },
		func(k string) otlp.KV { return otlp.F64(k, -1) },
		func(k string) otlp.KV { return otlp.F64(k, 0.5) },
		func(k string) otlp.KV { return otlp.I64(k, -1) },
		func(k string) otlp.KV { return otlp.I64(k, math.MinInt64) },
		func(k string) otlp.KV { return otlp.I64(k, math.MaxInt64) },
		func(k string) otlp.KV { return otlp.I64(k, 1<<53) },
		func(k string) otlp.KV { return otlp.I64(k, 1<<53+1) },
		func(k string) otlp.KV { return otlp.Str(k, "9223372036854775808") },
		func(k string) otlp.KV { return otlp.Str(k, "NaN") },
		func(k string) otlp.KV { return otlp.Str(k, "a word") },
		func(k string) otlp.KV { return otlp.Flag(k, true) },
		func(k string) otlp.KV { return otlp.Strs(k, "1") },
		func(k string) otlp.KV {
			return otlp.Str(k, `{"input_tokens":-1,"output_tokens":1e999,"documents":[{"score":NaN},{"score":1e308}]}`)
		},
	}
	keys := []string{
		"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.total_tokens", "llm.usage.total_tokens",
		"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.reasoning.output_tokens",
		"gen_ai.response.time_to_first_chunk", "langsmith.usage_metadata", "http.response.status_code",
		"retrieval.documents.0.document.score", "db.vector.query.result_count", "db.vector.query.top_score",
		"db.vector.query.top_distance", "output.value", "gen_ai.retrieval.documents", "treq.cache.hit",
	}
	base := uint64(epoch.UnixNano())
	times := [][2]uint64{
		{base, base + 1e9}, {base + 1e9, base}, {0, base}, {base, 0}, {1, math.MaxInt64},
		{base, math.MaxInt64 + 1}, {math.MaxUint64, math.MaxUint64}, {base, base},
	}
	n := uint64(0)
	rec := &sane{t: t}
	e, err := New(DefaultConfig(), rec)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"LLM", "RETRIEVER", "EMBEDDING", "RERANKER", "CHAIN", ""} {
		for _, key := range keys {
			for _, value := range values {
				for _, when := range times {
					n++
					sp := otlp.SpanData{Name: "x", Start: when[0], End: when[1], Attributes: []otlp.KV{
						value(key), otlp.I64("gen_ai.usage.input_tokens", 5),
					}}
					if kind != "" {
						sp.Attributes = append(sp.Attributes, otlp.Str("openinference.span.kind", kind))
					}
					for i := range 8 {
						sp.TraceID[i], sp.SpanID[i] = byte(n>>(8*i)), byte(n>>(8*i))
					}
					s := step{span: &sp, resource: "app"}
					if err := e.Traces(epoch, 0, s.request()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	e.Flush()
	if rec.spans != int64(n) {
		t.Errorf("%d spans, %d with a disposition", n, rec.spans)
	}
}

// sane checks the numbers of every event.
type sane struct {
	t     *testing.T
	spans int64
}

func (s *sane) duration(d time.Duration) {
	if d < 0 && d != telemetry.UnknownDuration {
		s.t.Errorf("duration %d", d)
	}
}

func (s *sane) call(c *telemetry.ModelCall) {
	s.duration(c.Duration)
	for _, n := range []int64{c.Tokens.Input, c.Tokens.CacheRead, c.Tokens.CacheWrite, c.Tokens.Output, c.Tokens.Reasoning, c.Tokens.Unsplit} {
		if n < 0 || n > 1<<53 {
			s.t.Errorf("tokens %+v", c.Tokens)
		}
	}
}

func (s *sane) Chat(c *telemetry.Chat) {
	s.duration(c.Duration)
	if c.Tokens < 0 || c.Tokens > 1<<53 || c.LLMCalls < 0 {
		s.t.Errorf("chat %+v", c)
	}
}

func (s *sane) ChatAddition(c *telemetry.ChatAddition) {}

func (s *sane) Retrieval(r *telemetry.Retrieval) {
	s.duration(r.Duration)
	for _, f := range []float64{r.MeanSimilarity, r.TopSimilarity} {
		if !(f >= 0 && f <= 1) {
			s.t.Errorf("similarity %+v", r)
		}
	}
	if r.Documents < -1 {
		s.t.Errorf("documents %+v", r)
	}
}

func (s *sane) LLMCall(c *telemetry.LLMCall) {
	s.call(&c.ModelCall)
	s.duration(c.TimeToFirstToken)
}
func (s *sane) Embedding(c *telemetry.Embedding) { s.call(&c.ModelCall) }
func (s *sane) Rerank(c *telemetry.Rerank)       { s.call(&c.ModelCall) }
func (s *sane) ToolCall(c *telemetry.ToolCall)   { s.duration(c.Duration) }
func (s *sane) Feedback(*telemetry.Feedback)     {}
func (s *sane) Rejected(string, int64)           {}
func (s *sane) Late(int64)                       {}
func (s *sane) Span(_ telemetry.Disposition, _, _ string, n int64) {
	s.spans += n
}

func TestNextTellsTheFirstTimer(t *testing.T) {
	e, _ := newEngine(t, DefaultConfig())
	if _, ok := e.Next(); ok {
		t.Error("a timer runs before anything came")
	}
	script := parseScript(t, "chain a 0-10 #1\nat 2s\nchain b 0-10 #2 ^1")
	play(t, e, script.steps)
	if at, ok := e.Next(); !ok || !at.Equal(epoch.Add(8*time.Second)) {
		t.Errorf("Next() = %v, %v", at, ok)
	}
	e.Advance(epoch.Add(8*time.Second - 1))
	if e.Open() != 2 {
		t.Error("closed before its time")
	}
	e.Advance(epoch.Add(8 * time.Second))
	if e.Open() != 0 {
		t.Error("open after its time")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for what, c := range map[string]Config{
		"negative delay": {CloseRoot: -1}, "negative bound": {MaxOpenSpans: -1},
		"preset": {Preset: "nobody"}, "empty rule": {Exclude: []Rule{{}}},
	} {
		if _, err := New(c, newTotals()); telemetry.KindOf(err) != telemetry.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestHorizonIsRebuilt: observing the requests, and what was told at first sight,
// both make the horizon that the engine had.
func TestHorizonIsRebuilt(t *testing.T) {
	s := parseScript(t, "chain a 0-10 #1\nat 2s\nllm b 0-10 #2 ^1\nllm b 0-10 #2 ^1\nat 20m\nchain a 0-10 #1")
	e, rec := newEngine(t, s.config)
	told := NewHorizon(s.config.Remember, s.config.HorizonBytes)
	sights := 0
	e.OnFirstSight(func(at int64, fingerprint uint64) {
		sights++
		if told.Add(at, fingerprint) {
			t.Error("told twice")
		}
	})
	play(t, e, s.steps)
	if sights != 3 {
		t.Errorf("%d first sights", sights)
	}
	observer, silence := newEngine(t, s.config)
	for i := range s.steps {
		if err := observer.Observe(epoch.Add(s.steps[i].at), s.steps[i].request()); err != nil {
			t.Fatal(err)
		}
	}
	if silence.String() != "" || observer.Open() != 0 {
		t.Errorf("observing told %s", silence)
	}
	want := string(e.Horizon().Export(nil, 0))
	if string(observer.Horizon().Export(nil, 0)) != want || string(told.Export(nil, 0)) != want {
		t.Error("another horizon")
	}
	_ = rec
}

// TestLargeTraces: a trace of thousands of spans that come in the worst order, each
// an orphan at first or for good, is one chat or as many as it has calls.
func TestLargeTraces(t *testing.T) {
	const n = 3000
	for _, c := range []struct {
		what   string
		parent func(i int) int
		chats  int64
	}{
		{"a chain of spans, the deepest first", func(i int) int { return i - 1 }, 1},
		{"children of one span that comes last", func(i int) int { return 0 }, 1},
		{"orphans of as many parents", func(i int) int { return 1_000_000 + i }, n - 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			rec := newTotals()
			e, err := New(DefaultConfig(), rec)
			if err != nil {
				t.Fatal(err)
			}
			for i := n - 1; i >= 0; i-- {
				sp := otlp.SpanData{
					TraceID: [16]byte{1}, SpanID: spanID(fmt.Sprint(i + 1)), Name: "x",
					Start: uint64(epoch.UnixNano()), End: uint64(epoch.UnixNano()) + 1,
				}
				if i > 0 {
					sp.ParentID = spanID(fmt.Sprint(c.parent(i) + 1))
					sp.Attributes = []otlp.KV{otlp.Str("openinference.span.kind", "LLM")}
				}
				s := step{span: &sp, resource: "app"}
				if err := e.Traces(epoch.Add(time.Duration(i)), 0, s.request()); err != nil {
					t.Fatal(err)
				}
			}
			e.Flush()
			var chats int64
			for what, n := range rec.Counts {
				if strings.HasPrefix(what, "chat success") {
					chats += n
				}
			}
			if chats != c.chats || rec.Counts["spans"] != n || e.Open() != 0 {
				t.Errorf("%d chats, want %d; %d spans; %d open", chats, c.chats, rec.Counts["spans"], e.Open())
			}
		})
	}
}
