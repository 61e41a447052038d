package understand

import (
	"math"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

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
		{base, base + 1e9},
		{base + 1e9, base},
		{0, base},
		{base, 0},
		{1, math.MaxInt64},
		{base, math.MaxInt64 + 1},
		{math.MaxUint64, math.MaxUint64},
		{base, base},
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
func (s *sane) Unmapped(string, int64)           {}
func (s *sane) Late(int64)                       {}
func (s *sane) Span(_ telemetry.Disposition, _, _ string, n int64) {
	s.spans += n
}
