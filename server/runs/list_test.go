package runs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// plain makes a span of no GenAI dialect.
func plain(trace, span, parent uint64) otlp.SpanData {
	s := llm(trace, span, parent)
	s.Attributes = nil
	return s
}

func TestRecent(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		recent := func(limit int) []string {
			t.Helper()
			list, err := h.viewer.Recent(h.t.Context(), limit)
			if err != nil {
				t.Fatal(err)
			}
			names := []string{}
			for _, r := range list.Runs {
				names = append(names, r.TraceID[len(r.TraceID)-1:]+" "+r.Name)
			}
			return names
		}
		same := func(got []string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		same(recent(0))
		h.append(body(llm(1, 2, 1), llm(2, 1, 0)))
		same(recent(0), "2 span 1", "1 span 2")
		h.append(body(plain(1, 1, 0), plain(3, 1, 0)))
		same(recent(0), "1 span 1", "2 span 1")
		same(recent(1), "1 span 1")
		h.append(body(llm(1, 3, 1)))
		h.append(body(llm(4, 5, 9, otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2")), llm(4, 4, 9)))
		same(recent(2), "4 span 4", "1 span 1")
		h.again()
		h.settle()
		same(recent(2), "4 span 4", "1 span 1")
	})
}

func TestAListCountsAllSpans(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		h.append(body(llm(1, 1, 0)))
		for i := range uint64(300) {
			h.append(body(llm(2, i+1, 0)))
		}
		list, err := h.viewer.Recent(h.t.Context(), 0)
		if err != nil || len(list.Runs) != 2 || list.Runs[0].Spans != 300 || list.Total != 2 {
			t.Errorf("%+v, %v", list, err)
		}
		if time.Time(list.From).IsZero() || time.Time(list.IndexedFrom).IsZero() {
			t.Errorf("from %s, indexed from %s", list.From, list.IndexedFrom)
		}
	})
}
