package runs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/judgement"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// search makes a retriever span with one document of a similarity.
func search(trace, span, parent uint64, similarity float64) otlp.SpanData {
	s := llm(trace, span, parent)
	s.Attributes = []otlp.KV{
		otlp.Str(semconv.OISpanKind, "RETRIEVER"),
		otlp.Str("retrieval.documents.0.document.content", "text"),
		otlp.F64("retrieval.documents.0.document.score", similarity),
	}
	return s
}

// ids lists the runs of a page by their traces' last digits.
func ids(l *List) string {
	text := ""
	for _, r := range l.Runs {
		text += r.TraceID[len(r.TraceID)-1:]
	}
	return text
}

func TestQuery(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		model := func(name string, tokens int64) []otlp.KV {
			return []otlp.KV{otlp.Str(semconv.GenAIRequestModel, name), otlp.I64(semconv.GenAIInputTokens, tokens), otlp.F64("gen_ai.usage.cost", float64(tokens)/1000)}
		}
		failed := llm(1, 1, 0, model("llama", 10)...)
		failed.Status, failed.Name = otlp.StatusError, "Ação de Graças"
		long := llm(2, 4, 0, append(model("mixtral", 20), otlp.Str(semconv.UserID, "maria"), otlp.Str(semconv.GenAIConversationID, "c-7"))...)
		long.End += 1e9
		h.append(body(failed))
		h.append(body(search(2, 5, 4, 0.9), search(2, 6, 4, 0.3), long))
		h.append(body(search(3, 9, 0, 0.4), llm(4, 12, 0, otlp.Str(semconv.GenAIPrompt, "Quanto CUSTA?"), otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"))))
		h.judge(judgement.Judgement{RunID: traceText(3), Scored: true, Score: 1}, judgement.Judgement{RunID: spanHex(4), Scored: true, Score: 0.2},
			judgement.Judgement{RunID: "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2", Value: "so-so"})

		below := func(f float64) *float64 { return &f }
		start := func(span int64) time.Time { return time.Unix(0, 1e18+span*1e6) }
		for _, tt := range []struct {
			name string
			q    Query
			want string
		}{
			{"all", Query{}, "4321"},
			{"service", Query{Service: "assistant"}, "4321"},
			{"another service", Query{Service: "assist"}, ""},
			{"model", Query{Model: "llama"}, "1"},
			{"failures", Query{Outcome: "failure"}, "1"},
			{"successes", Query{Outcome: "success"}, "432"},
			{"running", Query{Outcome: "running"}, ""},
			{"user", Query{User: "maria"}, "2"},
			{"part of a user", Query{User: "mari"}, ""},
			{"conversation", Query{Conversation: "c-7"}, "2"},
			{"positive", Query{Feedback: "positive"}, "3"},
			{"negative", Query{Feedback: "negative"}, "2"},
			{"judged", Query{Feedback: "any"}, "32"},
			{"not judged", Query{Feedback: "none"}, "41"},
			{"low similarity", Query{SimilarityBelow: below(0.4)}, "2"},
			{"lower first", Query{SimilarityBelow: below(0.5), Sort: "similarity"}, "23"},
			{"cost", Query{Sort: "cost"}, "2143"},
			{"duration", Query{Sort: "duration", Limit: 1}, "2"},
			{"start", Query{Sort: "start"}, "4321"},
			{"from", Query{From: start(4)}, "432"},
			{"to", Query{To: start(4)}, "1"},
			{"text without accents", Query{Text: "acao de"}, "1"},
			{"text of the input", Query{Text: "custa"}, "4"},
			{"text of a user", Query{Text: "MARI"}, "2"},
			{"text of a model", Query{Text: "mixt"}, "2"},
			{"text of nothing", Query{Text: "zzz"}, ""},
			{"a trace id", Query{Text: traceText(3)[:30]}, "4321"},
			{"a whole trace id", Query{Text: traceText(3)}, "3"},
			{"a run id", Query{Text: "01a20595-2dc8"}, "4"},
			{"a span id", Query{Text: spanHex(4)}, "2"},
			{"both", Query{Text: "span", Model: "mixtral"}, "2"},
		} {
			l, err := h.viewer.List(t.Context(), tt.q)
			if err != nil || ids(l) != tt.want {
				t.Errorf("%s: %q, %v; want %q", tt.name, ids(l), err, tt.want)
			}
		}
		for _, sort := range []string{"", "start", "cost", "duration"} {
			whole, _ := h.viewer.List(t.Context(), Query{Sort: sort})
			q, paged := Query{Sort: sort, Limit: 1}, ""
			for range 9 {
				l, err := h.viewer.List(t.Context(), q)
				if err != nil || l.Total != 4 {
					t.Fatalf("%+v, %v", l, err)
				}
				paged += ids(l)
				if q.Cursor = l.Next; l.Next == "" {
					break
				}
			}
			if paged != ids(whole) || len(paged) != 4 {
				t.Errorf("by %q: %q page by page, %q at once", sort, paged, ids(whole))
			}
		}
		for _, q := range []Query{{Sort: "name"}, {Outcome: "good"}, {Feedback: "great"}, {Cursor: "1"}, {Cursor: "-_?"}} {
			if _, err := h.viewer.List(t.Context(), q); telemetry.KindOf(err) != telemetry.Unprocessable {
				t.Errorf("%+v: %v", q, err)
			}
		}

		said := func(text string) Summary {
			l, err := h.viewer.List(t.Context(), Query{Text: text})
			if err != nil || len(l.Runs) != 1 {
				t.Fatalf("%+v, %v", l, err)
			}
			return l.Runs[0]
		}
		listed, whole := said("mixtral"), h.get(traceText(2)).Summary
		if diff := cmp.Diff(whole, listed, cmp.Comparer(func(a, b Time) bool { return a.String() == b.String() })); diff != "" {
			t.Errorf("the list and the run differ (-run +list):\n%s", diff)
		}
		if listed.Model != "mixtral" || *listed.Tokens != 20 || *listed.CostUSD != 0.02 || *listed.Similarity != 0.3 || *listed.Feedback != 0.2 || listed.Spans != 3 {
			t.Errorf("%+v", listed)
		}
		before, _ := h.viewer.List(t.Context(), Query{})
		h.again()
		h.settle()
		after, err := h.viewer.List(t.Context(), Query{})
		same := cmp.Comparer(func(a, b Time) bool { return a.String() == b.String() })
		if diff := cmp.Diff(before.Runs, after.Runs, same); diff != "" || err != nil {
			t.Errorf("after a restart (-before +after): %v\n%s", err, diff)
		}
	})
}

// What a run used is what the meter counts of it, in whichever records it comes: a
// wrapper that repeats the usage of the call below it, a wrapper of several calls and
// a span that is sent twice add nothing, and calls beside each other add up.
func TestListCountsAsTheMeterDoes(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		used := func(tokens int64) []otlp.KV {
			return append(usage(tokens), otlp.F64("gen_ai.usage.cost", float64(tokens)/1000))
		}
		for _, tt := range []struct {
			name    string
			records [][]otlp.SpanData
			tokens  int64
			spans   int
		}{
			{"wrapper and call", [][]otlp.SpanData{{llm(1, 12, 11, used(12)...), llm(1, 11, 0, used(12)...)}}, 12, 2},
			{"wrapper in the next record", [][]otlp.SpanData{{llm(2, 22, 21, used(12)...)}, {llm(2, 21, 0, used(12)...)}}, 12, 2},
			{"wrapper of wrappers", [][]otlp.SpanData{{llm(3, 33, 32, used(12)...), llm(3, 32, 31, used(12)...), llm(3, 31, 0, used(12)...)}}, 12, 3},
			{"two calls", [][]otlp.SpanData{{llm(4, 42, 41, used(12)...), llm(4, 43, 41, used(5)...), plain(4, 41, 0)}}, 17, 3},
			{"two calls of two records", [][]otlp.SpanData{{llm(5, 52, 51, used(12)...)}, {llm(5, 53, 51, used(5)...), plain(5, 51, 0)}}, 17, 3},
			{"two calls and what sums them up", [][]otlp.SpanData{{llm(6, 62, 61, used(12)...), llm(6, 63, 61, used(5)...), llm(6, 61, 0, used(17)...)}}, 17, 3},
			{"two equal calls", [][]otlp.SpanData{{llm(7, 72, 71, used(12)...), llm(7, 73, 71, used(12)...), plain(7, 71, 0)}}, 24, 3},
		} {
			for _, record := range tt.records {
				h.append(body(record...))
			}
			l, err := h.viewer.List(t.Context(), Query{Limit: 1})
			if err != nil || len(l.Runs) != 1 {
				t.Fatalf("%s: %+v, %v", tt.name, l, err)
			}
			r := l.Runs[0]
			if r.Tokens == nil || *r.Tokens != tt.tokens || r.Spans != tt.spans || r.CostUSD == nil || *r.CostUSD != float64(tt.tokens)/1000 {
				t.Errorf("%s: %+v", tt.name, r)
			}
			// The run itself says the same.
			if run := h.explained(r.TraceID); run.Counted.LLMTokens != tt.tokens {
				t.Errorf("%s: the run counted %d tokens", tt.name, run.Counted.LLMTokens)
			}
		}
		again := body(llm(8, 82, 81, used(12)...), plain(8, 81, 0))
		h.append(again)
		h.append(again)
		l, err := h.viewer.List(t.Context(), Query{Limit: 1})
		if err != nil || *l.Runs[0].Tokens != 12 {
			t.Errorf("sent twice: %+v, %v", l, err)
		}
	})
}

// Above the budget failures and low similarities still come into the list, as many
// again; the others are counted once each, whole, and found by their ids.
func TestBudget(t *testing.T) {
	within(t, func(o *Options) { o.Rate = 0.1 }, func(h *house) {
		t := h.t
		h.keeping()
		check := func(want string, lacking uint64) {
			t.Helper()
			h.lists(want, lacking)
		}
		failing := func(trace, span, parent uint64) otlp.SpanData {
			s := llm(trace, span, parent)
			s.Status = otlp.StatusError
			return s
		}
		for n := range uint64(5) { // three at once
			h.append(body(llm(n+1, 10*n+10, 0)))
		}
		check("321", 2)
		h.append(body(llm(5, 59, 50), llm(2, 29, 20))) // of one that was left out, and of one that was not
		check("321", 2)
		h.append(body(failing(6, 60, 0), llm(7, 70, 0), search(8, 80, 0, 0.2), search(9, 90, 0, 0.9)))
		check("86321", 4)
		h.append(body(llm(4, 49, 40), failing(4, 48, 40))) // fails after it was left out
		check("864321", 3)
		h.append(body(failing(10, 100, 0))) // more fail than there is room for
		check("864321", 4)
		time.Sleep(9 * time.Second) // of the bubble
		h.append(body(llm(11, 110, 0)))
		check("864321", 5)
		time.Sleep(time.Second) // one in ten seconds
		h.append(body(llm(11, 111, 110)))
		check("864321", 5) // half of it was not read
		h.append(body(llm(12, 120, 0), llm(13, 130, 0), failing(14, 140, 0)))
		check("ec864321", 6)
		time.Sleep(time.Hour)
		for n := uint64(0x20); n < 0x25; n++ { // no more than three after an hour, too
			h.append(body(llm(n, 10*n, 0)))
		}
		check("210ec864321", 8)
		if r := h.get(traceText(5)); r.Spans != 2 {
			t.Errorf("%+v", r.Summary)
		}
	})
}

// Rows stay within their bytes: the oldest go.
func TestRowsAreBounded(t *testing.T) {
	within(t, func(o *Options) { o.ListBytes, o.Rate = 1<<20, -1 }, func(h *house) {
		t := h.t
		const all = 8000
		for n := uint64(0); n < all; n += 100 {
			h.append(request(100, 0, n))
		}
		l, err := h.viewer.List(t.Context(), Query{})
		if err != nil || l.Total < 3000 || l.Total >= all {
			t.Errorf("%d of %d, %v", l.Total, all, err)
		}
		if size := h.listBytes(); size > 1<<20+1<<17 {
			t.Errorf("%d bytes", size)
		}
	})
}
