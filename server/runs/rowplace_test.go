package runs

import (
	"testing"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// What the list shows is found at once by every id that it has there, whole, although
// the index of all ids has let it go; the journal is not searched for it.
func TestAListedRunIsFoundBelowTheIndex(t *testing.T) {
	within(t, func(o *Options) { o.IndexBytes, o.Rate = 2*pageBytes(leastSlots), -1 }, func(h *house) {
		t := h.t
		const first, named = 1 << 40, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"
		h.append(request(10, 10, 0))
		h.append(body(llm(first, 2, 1)))
		h.append(request(10, 10, 10))
		h.append(body(llm(first, 1, 0, otlp.Str(semconv.LSSpanID, named))))
		for n := uint64(20); n < 300; n += 10 {
			h.append(request(10, 10, n))
		}
		h.append(body(llm(first, 3, 1)))
		h.settle()
		if floor, _ := h.viewer.index.reach(); floor < h.viewer.rows.chunks[0].rows[10].heard/2 {
			t.Fatalf("the index still has everything from %d", floor)
		}
		check := func() {
			t.Helper()
			for id, spans := range map[string]int{traceText(first): 3, named: 3} {
				r := h.get(id)
				if r.Spans != spans || r.RunID != named || r.Search.SearchedFrom != nil || !r.Search.Complete {
					t.Errorf("%s: %d spans, %+v, run %s", id, r.Spans, r.Search, r.RunID)
				}
			}
			l, err := h.viewer.List(t.Context(), Query{Sort: "start", Text: "chat"})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range l.Runs[len(l.Runs)-5:] {
				if r := h.get(s.RunID); r.TraceID != s.TraceID || r.Search.SearchedFrom != nil {
					t.Errorf("%s: %+v", s.RunID, r.Search)
				}
			}
		}
		check()
		// What is in no row is looked for.
		if r := h.get(spanHex(2)); r.Search.SearchedFrom == nil {
			t.Errorf("%+v", r.Search)
		}
	})
}
