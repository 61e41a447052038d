package runs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

func TestEveryIDFindsItsRun(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		h.append(body(
			llm(1, 1, 0, otlp.Str(semconv.TreqRunID, "question of 12:05")),
			llm(1, 2, 1, otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2")),
			llm(1, 3, 2),
			llm(2, 9, 0),
		))
		whole, below := "span 1\n  span 2\n    span 3\n", "span 2\n  span 3\n"
		tests := []struct{ id, tree, run string }{
			{traceText(1), whole, "00000000-0000-0000-bb00-000000000001"},
			{strings.ToUpper(traceText(1)), whole, "00000000-0000-0000-bb00-000000000001"},
			{"aa000000-0000-0000-0000-000000000001", whole, "00000000-0000-0000-bb00-000000000001"},
			{spanHex(1), whole, "00000000-0000-0000-bb00-000000000001"},
			{"question of 12:05", whole, "00000000-0000-0000-bb00-000000000001"},
			{spanHex(2), below, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"},
			{"00000000-0000-0000-bb00-000000000002", below, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"},
			{"01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2", below, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"},
			{spanHex(3), "span 3\n", "00000000-0000-0000-bb00-000000000003"},
		}
		for _, tt := range tests {
			run := h.get(tt.id)
			if got := outline(run.Tree); got != tt.tree || run.RunID != tt.run || run.TraceID != traceText(1) {
				t.Errorf("%s: run %s of trace %s\n%s\nwant %s\n%s", tt.id, run.RunID, run.TraceID, got, tt.run, tt.tree)
			}
			if run.Spans != strings.Count(tt.tree, "\n") {
				t.Errorf("%s: %d spans", tt.id, run.Spans)
			}
		}
		for _, id := range []string{traceText(3), spanHex(4), "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e3", "x", "00000000-0000-0000-0000-000000000000"} {
			h.absent(id)
		}
		for _, id := range []string{"", strings.Repeat("x", mostID+1)} {
			if _, err := h.viewer.Get(h.t.Context(), id, false); telemetry.KindOf(err) != telemetry.Invalid {
				t.Errorf("Get of %d bytes: %v", len(id), err)
			}
		}
	})
}

func TestNewestOfEqualSpanIDs(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		h.append(body(llm(1, 7, 0)))
		h.append(body(llm(2, 7, 0)))
		if run := h.get(spanHex(7)); run.TraceID != traceText(2) {
			t.Errorf("trace %s", run.TraceID)
		}
	})
}

// scattered appends a trace of spans whose parents are the ones before, in any
// order, one a record, between records of other traces.
func (h *house) scattered(trace uint64, spans int) {
	chance := rand.New(rand.NewPCG(1, trace))
	for _, i := range chance.Perm(spans) {
		n := 1000*trace + uint64(i)
		s := llm(trace, n+1, n)
		if i == 0 {
			s.ParentID = [8]byte{}
		}
		h.append(body(s))
		h.append(request(8, 100, chance.Uint64()>>8))
	}
}

func TestRunOfManyRecords(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		h.scattered(1, 60)
		h.append(body(llm(1, 1003, 1002)))
		want := ""
		for i := range 60 {
			want += strings.Repeat("  ", i) + fmt.Sprintf("span %d\n", 1000+i+1)
		}
		check := func(when string) {
			run := h.get(traceText(1))
			if diff := cmp.Diff(want, outline(run.Tree)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
			if run.Repeated != 1 || run.Truncated || !run.Search.Complete || run.Search.SearchedFrom != nil {
				t.Errorf("%s: repeated %d, truncated %t, %+v", when, run.Repeated, run.Truncated, run.Search)
			}
		}
		check("as it came")
		h.again()
		h.settle()
		check("after a start")
		if floor, _ := h.viewer.index.reach(); floor != h.journal.Segments()[0].Base {
			t.Errorf("the index reaches down to %d", floor)
		}
	})
}

// tiny makes an index that holds hardly anything.
func tiny(o *Options) { o.IndexBytes = 1 }

func TestSearchBelowTheIndex(t *testing.T) {
	within(t, tiny, func(h *house) {
		t := h.t
		h.append(body(llm(5, 1, 0)))
		h.scattered(1, 40)
		if n := len(h.journal.Segments()); n < 3 {
			t.Fatalf("the run lies in %d segments", n)
		}
		time.Sleep(time.Minute)
		h.scattered(2, 200)
		if n := len(h.journal.Segments()); n < 4 {
			t.Fatalf("%d segments are too few", n)
		}
		h.append(body(llm(3, 1, 0)))
		if run := h.get(traceText(3)); run.Search.SearchedFrom != nil {
			t.Errorf("the newest run was searched for: %+v", run.Search)
		}
		h.viewer.rows.retire(1 << 60) // a list that has it would know where
		run := h.get(traceText(1))
		if run.Spans != 40 || run.Search.SearchedFrom == nil || !run.Search.Complete {
			t.Errorf("%d spans, %+v", run.Spans, run.Search)
		}
		// Wherever the one span lies that was asked for, all below it is there.
		for span := range uint64(40) {
			if run := h.get(spanHex(1000 + span + 1)); run.Spans != int(40-span) {
				t.Errorf("below span %d: %d spans", span+1, run.Spans)
			}
		}
		if text := h.absent(traceText(4)); !strings.Contains(text, "reaches back to "+Time(h.journal.Segments()[0].First).String()) {
			t.Errorf("everything was searched: %s", text)
		}

		h.viewer.o.SearchTime = -1
		if text := h.absent(traceText(4)); !strings.Contains(text, "time of one search was not enough") {
			t.Errorf("nothing was searched: %s", text)
		}
		h.absent(traceText(1))
	})
}

func TestRebuildKeepsTheNewest(t *testing.T) {
	within(t, tiny, func(h *house) {
		t := h.t
		h.scattered(1, 10)
		h.scattered(2, 200)
		h.append(body(llm(3, 1, 0)))
		h.again()
		h.settle()
		h.viewer.rows.retire(1 << 60) // a list that has it would know where
		x := h.viewer.index
		if len(x.pages.row) != x.pages.most {
			t.Fatalf("%d pages of %d", len(x.pages.row), x.pages.most)
		}
		if run := h.get(traceText(3)); run.Search.SearchedFrom != nil {
			t.Errorf("the newest run was searched for: %+v", run.Search)
		}
		// What the index does not reach is found all the same, before and after the
		// tail takes the room.
		for range 2 {
			if run := h.get(traceText(1)); run.Spans != 10 || run.Search.SearchedFrom == nil {
				t.Errorf("%d spans, %+v", run.Spans, run.Search)
			}
			h.append(request(400, 0, 1<<40))
		}
	})
}

// What viewers read is never kept for them.
func TestReadersHoldNothingBack(t *testing.T) {
	within(t, tiny, func(h *house) {
		t := h.t
		keeper, err := h.journal.NewCursor("sink", 0, false)
		if err != nil {
			t.Fatal(err)
		}
		h.scattered(1, 200)
		h.get(traceText(1))
		h.viewer.Recent(h.t.Context(), 0)
		h.absent(traceText(2))
		keeper.Commit(h.journal.Durable())
		time.Sleep(10 * time.Minute)
		if n := len(h.journal.Segments()); n > 1 {
			t.Errorf("%d segments are kept", n)
		}
		h.absent(traceText(1))
	})
}

func TestOtherKindsOfRecords(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		h.append([]byte("\x0a\xffnot a request"))
		h.append(body(llm(1, 1, 0)))
		if run := h.get(traceText(1)); run.Spans != 1 {
			t.Errorf("%d spans", run.Spans)
		}
		list, err := h.viewer.Recent(h.t.Context(), 0)
		if err != nil || len(list.Runs) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
