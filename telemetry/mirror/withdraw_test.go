package mirror

import (
	"testing"
	"time"
)

func TestEverySinkIsToldThatAJudgementWasWithdrawn(t *testing.T) {
	const span = "b7ad6b7169203331"
	for _, words := range []Words{LangSmith, Langfuse, Phoenix} {
		within(t, Sink{Words: words, AlsoAs: []string{"score"}, Project: "mine"}, func(h *house) {
			h.runs.add(runA, Run{ID: runA, TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: span, Root: true})
			j := h.judge(thumb(runA, 1))
			if len(h.backend.has()) == 0 {
				t.Fatalf("%s was told nothing", words)
			}
			j.Deleted = true
			// A withdrawal is told again until it is taken.
			h.backend.mu.Lock()
			h.backend.faults = []fault{{status: 503}, {status: 429, retryAfter: "5"}}
			h.backend.mu.Unlock()
			h.judge(j)
			h.pass(time.Minute)
			if got := h.backend.has(); len(got) != 0 {
				t.Errorf("%s still has %v", words, got)
			}
			// What a sink never had, or has no more, is withdrawn as well.
			calls := len(h.backend.seen())
			h.judge(j)
			if s := h.status(); s.Waiting != 0 || s.DeadLettered != 0 || len(h.backend.seen()) == calls {
				t.Errorf("%s: %+v", words, s)
			}
		})
	}
}

func TestAPhoenixThatDeletesNothingIsToldInWords(t *testing.T) {
	within(t, Sink{Words: Phoenix}, func(h *house) {
		const span = "b7ad6b7169203331"
		h.runs.add(runA, Run{TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: span, Root: true})
		h.backend.old = true
		j := h.judge(thumb(runA, 1))
		j.Deleted = true
		h.judge(j)
		a := h.backend.has()["user-score "+span+" treq:"+j.ID]
		result, _ := a["result"].(map[string]any)
		if _, scored := result["score"]; scored || result["label"] != "withdrawn" {
			t.Errorf("%v", a)
		}
		if s := h.status(); s.Sent != 2 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}
