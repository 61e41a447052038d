package runs

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
	"treq/test/recorded"
)

// traces lists the traces of a request.
type traces map[[16]byte]bool

func (l traces) Resource(*otlp.Resource) {}
func (l traces) Scope(*otlp.Scope)       {}
func (l traces) Span(s *otlp.Span)       { l[s.TraceID] = true }

// What a run says of itself is what the meter counted: on every recorded case the
// explanations of all traces add up to the engine's events.
func TestExplanationsAddUp(t *testing.T) {
	cases := recorded.Load(t)
	within(t, nil, func(h *house) {
		t := h.t
		for _, c := range cases {
			if len(c.Settings) > 0 {
				continue // it is counted by other rules than these
			}
			want := &tally{}
			engine, err := understand.New(h.options.Rules, want)
			if err != nil {
				t.Fatal(err)
			}
			seen := traces{}
			for _, request := range c.Requests {
				h.append(request)
				if err := new(otlp.Scanner).Traces(request, seen); err != nil {
					t.Fatal(err)
				}
				if err := engine.Traces(h.journal.SafeTime(), doorOTLP, request); err != nil {
					t.Fatal(err)
				}
			}
			engine.Flush()
			var got Counted
			for id := range seen {
				run := h.explained(hex.EncodeToString(id[:]))
				events := countEvents(t, run.Tree)
				if diff := cmp.Diff(*run.Counted, events, exactly); diff != "" {
					t.Errorf("%s: the spans do not add up to what the run counted (-run +spans):\n%s", c.Name, diff)
				}
				got = sum(got, events)
			}
			if diff := cmp.Diff(want.Counted, got, exactly); diff != "" {
				t.Errorf("%s (-meter +runs):\n%s", c.Name, diff)
			}
		}
	})
}

// countEvents adds up what the spans of some trees say that they counted for.
func countEvents(t *testing.T, spans []*Span) (c Counted) {
	t.Helper()
	for _, s := range spans {
		e := s.Explanation
		if e == nil || e.Why == "" {
			t.Errorf("%s is not explained: %+v", s.Name, e)
			continue
		}
		for _, event := range e.Events {
			switch event {
			case "chat":
				c.Chats++
			case "llm_call":
				c.LLMCalls++
				if e.Tokens != nil {
					c.LLMTokens += e.Tokens.Total
				}
			case "retrieval":
				c.Searches++
			case "embedding":
				c.Embeddings++
			case "rerank":
				c.Reranks++
			case "tool_call":
				c.ToolCalls++
			}
		}
		if e.CostUSD != nil {
			c.cost += int64(math.Round(*e.CostUSD * 1e9))
		}
		c = sum(c, countEvents(t, s.Children))
	}
	return c
}

// tally adds up what the engine counts.
type tally struct{ Counted }

func (l *tally) call(m *telemetry.ModelCall) { l.cost += m.CostNanoUSD }

func (l *tally) Chat(*telemetry.Chat)           { l.Chats++ }
func (l *tally) Retrieval(*telemetry.Retrieval) { l.Searches++ }
func (l *tally) ToolCall(*telemetry.ToolCall)   { l.ToolCalls++ }
func (l *tally) Embedding(c *telemetry.Embedding) {
	l.Embeddings++
	l.call(&c.ModelCall)
}

func (l *tally) Rerank(c *telemetry.Rerank) {
	l.Reranks++
	l.call(&c.ModelCall)
}

func (l *tally) LLMCall(c *telemetry.LLMCall) {
	l.LLMCalls++
	l.LLMTokens += c.Tokens.Total()
	l.call(&c.ModelCall)
}

func (l *tally) ChatAddition(*telemetry.ChatAddition)              {}
func (l *tally) Feedback(*telemetry.Feedback)                      {}
func (l *tally) Span(telemetry.Disposition, string, string, int64) {}
func (l *tally) Rejected(string, int64)                            {}
func (l *tally) Unmapped(string, int64)                            {}
func (l *tally) Late(int64)                                        {}

// exactly compares money in its own unit.
var exactly = cmp.Options{cmp.AllowUnexported(Counted{}), cmpopts.IgnoreFields(Counted{}, "CostUSD")}

func sum(a, b Counted) Counted {
	return Counted{
		a.Chats + b.Chats, a.LLMCalls + b.LLMCalls, a.LLMTokens + b.LLMTokens, a.Searches + b.Searches,
		a.Embeddings + b.Embeddings, a.Reranks + b.Reranks, a.ToolCalls + b.ToolCalls,
		a.CostUSD + b.CostUSD, a.cost + b.cost,
	}
}

// A question with a search of two parts, a call in a wrapper and one that failed, as
// it is answered.
func TestDocument(t *testing.T) {
	usage := []otlp.KV{
		otlp.Str(semconv.GenAIRequestModel, "llama-3.1-8b-instant"), otlp.Str(semconv.GenAIProviderName, "groq"),
		otlp.I64(semconv.GenAIInputTokens, 42), otlp.I64(semconv.GenAIOutputTokens, 12),
	}
	retrieval := func(span, parent uint64, more ...otlp.KV) otlp.SpanData {
		s := llm(1, span, parent)
		s.Attributes = append([]otlp.KV{otlp.Str(semconv.OISpanKind, "RETRIEVER")}, more...)
		return s
	}
	entry := plain(1, 1, 0)
	entry.Name, entry.Kind = "POST /chat", otlp.KindServer
	entry.Attributes = []otlp.KV{otlp.Str(semconv.LSProject, "treq-prod"), otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2")}
	failed := llm(1, 8, 6, otlp.Str(semconv.ErrorType, "RateLimitError"))
	failed.Status, failed.StatusMessage = otlp.StatusError, "RateLimitError: <b>slow down</b>"
	within(t, nil, func(h *house) {
		t := h.t
		h.append(body(
			entry,
			retrieval(2, 1, otlp.Str(semconv.OIInputValue, "Onde está o contrato?"), otlp.Str(semconv.OIOutputValue, `[{"id":"a","score":0.75},{"id":"b","score":0.25}]`)),
			retrieval(3, 2),
			llm(1, 4, 1, append(usage, otlp.Str(semconv.GenAIPrompt, "Onde está o contrato?"), otlp.Str(semconv.GenAICompletion, "<i>Na gaveta.</i>"))...),
			llm(1, 5, 4, usage...),
			plain(1, 6, 1),
			llm(1, 7, 6, usage...),
			failed,
		))
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(h.explained(traceText(1))); err != nil {
			t.Fatal(err)
		}
		golden(t, "run.json", text.Bytes())
	})
}

// A slice of a request says of its trace what the whole request says, and of no other.
func TestSlice(t *testing.T) {
	request := append(body(llm(1, 1, 0), llm(2, 1, 0), llm(1, 2, 1)), body(llm(2, 2, 1))...)
	request = append(request, body(llm(1, 3, 2))...)
	for _, trace := range []uint64{1, 2, 3} {
		want := 0
		got := walked(sliceOf(request, traceID(trace)))
		for _, line := range walked(request) {
			if line[:32] == traceText(trace) {
				if want >= len(got) || got[want] != line {
					t.Fatalf("trace %d: %v lacks %s", trace, got, line)
				}
				want++
			}
		}
		if len(got) != want {
			t.Errorf("trace %d: %d spans; want %d", trace, len(got), want)
		}
	}
	if got := sliceOf(request, traceID(3)); len(got) != 0 {
		t.Errorf("of no trace: %d bytes", len(got))
	}
}
