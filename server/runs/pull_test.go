package runs

import (
	"fmt"
	"testing"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// usage is what a call of some tokens says.
func usage(tokens int64) []otlp.KV {
	return []otlp.KV{otlp.Str(semconv.GenAIRequestModel, "llama"), otlp.I64(semconv.GenAIInputTokens, tokens)}
}

func down(run string) judgement.Judgement {
	return judgement.Judgement{RunID: run, Scored: true}
}

// listed gives the list as ids does, and how many runs it lacks.
func (h *house) listed() (string, uint64) {
	h.t.Helper()
	l, err := h.viewer.List(h.t.Context(), Query{Sort: "start"})
	if err != nil {
		h.t.Fatal(err)
	}
	return ids(l), l.NotIndexed
}

func (h *house) lists(want string, lacking uint64) {
	h.t.Helper()
	if got, lacks := h.listed(); got != want || lacks != lacking {
		h.t.Errorf("%q and %d not indexed; want %q and %d", got, lacks, want, lacking)
	}
}

// keeping has the journal keep its records for an hour.
func (h *house) keeping() {
	h.t.Helper()
	h.keep = time.Hour
	h.again()
	h.settle()
}

// fillBudget uses up what three runs of a budget of a tenth a second may take.
func (h *house) fillBudget() {
	for n := range uint64(3) {
		h.append(body(llm(n+1, 10*n+10, 0)))
	}
}

// A run that the budget left out comes into the list when it is judged, whatever it is
// called by, whole, and with what comes of it later; also where the judgement was there first.
func TestAJudgedRunComesIntoTheList(t *testing.T) {
	within(t, func(o *Options) { o.Rate = 0.1 }, func(h *house) {
		h.keeping()
		h.judge(up("said before", ""))
		h.settle()
		h.fillBudget()
		h.append(body(llm(4, 41, 40, usage(5)...)))
		h.append(body(llm(4, 40, 0, usage(7)...), llm(5, 50, 0, otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"))))
		h.append(body(llm(6, 60, 0), llm(7, 70, 0), llm(8, 80, 0, otlp.Str(semconv.TreqRunID, "said before"))))
		h.lists("321", 5)
		h.judge(down(traceText(4)))
		h.settle()
		h.settle()
		h.lists("84321", 3)
		h.judge(up("01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2", ""))
		h.judge(up(spanHex(60), ""))
		h.judge(up("of nobody", ""))
		for range 5 {
			h.settle()
		}
		h.lists("8654321", 1)
		h.append(body(llm(4, 42, 40, usage(11)...)))
		check := func() {
			h.t.Helper()
			l, err := h.viewer.List(h.t.Context(), Query{Feedback: "negative"})
			if err != nil || len(l.Runs) != 1 || l.Runs[0].Spans != 3 || *l.Runs[0].Tokens != *h.get(traceText(4)).Tokens {
				h.t.Errorf("%+v, %v", l, err)
			}
		}
		check()
		h.again()
		for range 10 {
			h.settle()
		}
		h.lists("8654321", 1)
		check()
	})
}

// Where many runs were judged, those that were judged badly come first.
func TestTheBadlyJudgedComeFirst(t *testing.T) {
	within(t, func(o *Options) { o.Rate = 0.1 }, func(h *house) {
		h.keeping()
		h.fillBudget()
		h.append(body(llm(4, 40, 0), llm(5, 50, 0), llm(6, 60, 0)))
		h.judge(up(traceText(4), ""), down(traceText(5)), down(traceText(6)))
		h.settle()
		h.lists("5321", 2)
		h.settle() // a hundred seconds for each: a tenth of the budget
		h.lists("65321", 1)
		h.settle()
		h.settle()
		h.lists("654321", 0)
	})
}

func TestJudgedRunsThatWaitAreBounded(t *testing.T) {
	p := newPulls()
	now := time.Unix(1e9, 0)
	said := func(n int, score float64) judgedAt {
		return judgedAt{run: wantedRun(n), scored: true, score: score}
	}
	p.add([]judgedAt{said(0, 0), said(1, 1)}, now)
	for n := range mostPulls {
		p.add([]judgedAt{said(n+2, 1)}, now)
	}
	if len(p.queue) != mostPulls || len(p.queued) != mostPulls || p.queued[wantedRun(0)] == nil || p.queued[wantedRun(1)] != nil {
		t.Errorf("%d wait", len(p.queue))
	}
	p.add([]judgedAt{said(5, 0)}, now) // said again, and worse
	first, _ := p.next(now)
	p.done(first)
	second, _ := p.next(now)
	if first.run != wantedRun(0) || second.run != wantedRun(5) {
		t.Errorf("%x, then %x", first.run, second.run)
	}
	// Looked for at ever longer pauses, and in the end no more.
	var looks []time.Duration
	for p.queued[second.run] != nil {
		looks = append(looks, now.Sub(time.Unix(1e9, 0)))
		p.later(second, now)
		now = second.due
	}
	if got := fmt.Sprint(looks); got != "[0s 5s 15s 35s 1m15s 2m35s 5m15s]" {
		t.Error(got)
	}
}

func wantedRun(n int) (id [16]byte) { return traceID(uint64(n)) }

// What the tail still has to read of a run that was brought meanwhile is not read again.
func TestABroughtRunIsReadOnce(t *testing.T) {
	within(t, func(o *Options) { o.Rate = 0.1 }, func(h *house) {
		h.fillBudget()
		piece := body(llm(4, 40, 0, usage(5)...), llm(5, 50, 0))
		pos := h.append(piece)
		h.lists("321", 2)
		if whole, err := h.viewer.bringTrace(h.t.Context(), traceID(4)); !whole || err != nil {
			h.t.Fatal(whole, err)
		}
		h.viewer.lister.groups.begin(traceID(4))
		h.viewer.lister.groups.begin(traceID(5))
		h.viewer.lister.take(&journal.Record{Kind: journal.Traces, Position: pos, Admitted: time.Now()}, piece)
		h.lists("4321", 1)
		l, _ := h.viewer.List(h.t.Context(), Query{Sort: "start", Limit: 1})
		if r := l.Runs[0]; r.Spans != 1 || *r.Tokens != 5 {
			h.t.Errorf("%+v", r)
		}
	})
}

// The list's bytes take the oldest runs, but none that was judged badly while others are there.
func TestTheBadlyJudgedOutliveOthers(t *testing.T) {
	within(t, func(o *Options) { o.ListBytes, o.Rate = 1<<20, -1 }, func(h *house) {
		t := h.t
		h.append(body(llm(1<<40, 1, 0, otlp.Str(semconv.GenAIPrompt, "worst")), llm(2<<40, 2, 0), llm(3<<40, 3, 0)))
		h.judge(down(traceText(1<<40)), up(traceText(2<<40), ""))
		for n := uint64(0); n < 8000; n += 100 {
			h.append(request(100, 0, n))
		}
		l, err := h.viewer.List(t.Context(), Query{Feedback: "any"})
		if err != nil || len(l.Runs) != 1 || l.Runs[0].TraceID != traceText(1<<40) {
			t.Errorf("%+v, %v", l, err)
		}
		if l, err := h.viewer.List(t.Context(), Query{Text: "WORST"}); err != nil || len(l.Runs) != 1 {
			t.Errorf("%+v, %v", l, err)
		}
		if size := h.listBytes(); size > 1<<20+1<<17 {
			t.Errorf("%d bytes", size)
		}
		// Judged when it is long gone, another comes back.
		h.judge(down(traceText(3 << 40)))
		h.settle()
		if l, err := h.viewer.List(t.Context(), Query{Feedback: "negative"}); err != nil || len(l.Runs) != 2 {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

// However many are judged badly, newer runs have most of the room.
func TestTheBadlyJudgedLeaveRoom(t *testing.T) {
	within(t, func(o *Options) { o.ListBytes, o.Rate = 1<<20, -1 }, func(h *house) {
		var all []judgement.Judgement
		const many = 8000
		for n := range uint64(many) {
			var id [16]byte
			id[14], id[15] = byte((n+1)>>8), byte(n+1)
			all = append(all, down(fmt.Sprintf("%x", id)))
		}
		for n := 0; n < many; n += 1000 {
			h.judge(all[n : n+1000]...)
		}
		for n := uint64(0); n < many; n += 100 {
			h.append(request(100, 0, n))
		}
		l, err := h.viewer.List(h.t.Context(), Query{})
		if err != nil || l.Total < 3000 || h.listBytes() > 1<<20+1<<17 {
			h.t.Errorf("%d runs in %d bytes, %v", l.Total, h.listBytes(), err)
		}
		newest := 0
		h.viewer.rows.mu.RLock() // the judged are still being brought
		defer h.viewer.rows.mu.RUnlock()
		for _, c := range h.viewer.rows.chunks {
			for i := range c.rows {
				if r := &c.rows[i]; !r.flags.has(isDead) && r.trace[14] >= byte((many-2000)>>8) {
					newest++
				}
			}
		}
		if newest < 2000 {
			h.t.Errorf("%d of the newest 2000", newest)
		}
	})
}

// What has left the journal takes no memory.
func TestMemoryIsGivenBackWithTheJournal(t *testing.T) {
	within(t, func(o *Options) { o.IndexBytes, o.Rate = 16*pageBytes(leastSlots), -1 }, func(h *house) {
		t := h.t
		for n := uint64(0); n < 2000; n += 10 {
			h.append(request(10, 100, n))
			h.judge(down(traceText(n)))
		}
		h.settle()
		floor, _ := h.viewer.index.reach()
		pages, chunks, said := len(h.viewer.index.pages.row), len(h.viewer.rows.chunks), len(h.viewer.judged.queue)
		for range 12 { // segments go with time, and the last one with the next
			h.settle()
			h.append(body(llm(1<<41, 1, 0)))
			h.settle()
		}
		if got := len(h.viewer.index.pages.row); got >= pages/2 || pages < 8 {
			t.Errorf("%d pages of %d", got, pages)
		}
		if got := len(h.viewer.rows.chunks); got != 1 || chunks < 3 {
			t.Errorf("%d chunks of %d", got, chunks)
		}
		if got := len(h.viewer.judged.queue); got > 20 || said != 200 || len(h.viewer.judged.last) > 20 {
			t.Errorf("%d judgements of %d", got, said)
		}
		if now, _ := h.viewer.index.reach(); now <= floor {
			t.Errorf("everything from %d is said to be indexed, as from %d before", now, floor)
		}
		if r := h.get(traceText(1 << 41)); r.Spans != 1 {
			t.Errorf("%+v", r.Summary)
		}
	})
}
