package merger

import (
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/test/recorded"
)

// TestRunsThatComeTwice sends what Python's SDK sends in its hybrid mode, in either
// order and over a restart: the spans are there already, so the runs become none;
// where only the runs come, they do.
func TestRunsThatComeTwice(t *testing.T) {
	for _, c := range recorded.Load(t) {
		if len(c.Native) == 0 || len(c.Requests) == 0 {
			continue
		}
		native := func(h *house) {
			for _, sent := range c.Native {
				h.send(string(sent.Body))
			}
		}
		spans := 0
		over := func(h *house) {
			for _, body := range c.Requests {
				n, err := otlp.CheckTraces(body)
				if err != nil {
					t.Fatal(err)
				}
				spans += n.Spans
				if _, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: journal.Traces, Door: "http", Items: uint32(n.Spans), Body: body}); err != nil {
					t.Fatal(err)
				}
			}
		}
		paired := 0 // before the last start
		again := func(h *house) {
			paired += int(h.merger.Stats().Paired)
			h.stop()
			h.start(-1, false)
		}
		for name, steps := range map[string][]func(*house){
			"runs first":           {native, over},
			"spans first":          {over, native},
			"runs, restart, spans": {native, again, over},
			"spans, restart, runs": {over, again, native},
			"runs alone":           {native},
			"runs and a restart":   {native, again},
		} {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(t)
					h.start(-1, false)
					spans, paired = 0, 0
					for _, step := range steps {
						step(h)
						settle(8 * time.Second)
					}
					settle(time.Minute)
					made, s := len(h.made()), h.merger.Stats()
					paired += int(s.Paired)
					if alone := spans == 0; alone && made == 0 || !alone && (made > 0 || paired != spans) {
						t.Errorf("%d spans came, %d were made: %+v", spans, made, s)
					}
					if s.Running != 0 || s.Evicted+s.TimedOut+s.Orphans != 0 || s.RunningBytes != 0 {
						t.Errorf("%+v", s)
					}
					if w := &h.merger.table.twins; len(w.held) > 0 || len(w.seen) > 0 || len(w.queue) > 0 {
						t.Errorf("%d runs and %d spans still wait", len(w.held), len(w.queue))
					}
				})
			})
		}
	}
}

// TestTwinsWithoutMetadata sends a run that does not say that it comes twice, as Python's
// SDK sends run trees with files: it waits for its span where others came twice not
// long ago, and where no span comes it becomes one.
func TestTwinsWithoutMetadata(t *testing.T) {
	const marked = `{"metadata":{"LANGSMITH_TRACING_MODE":"hybrid"}}`
	for name, c := range map[string]struct {
		first, second string // what two runs say of themselves
		seen          bool   // whether the span of the second comes
		made          []int  // how many spans are made: at once, and after all waiting
	}{
		"with its span":           {marked, `{}`, true, []int{0, 1}},
		"without a span":          {marked, `{}`, false, []int{0, 2}},
		"among runs that are not": {`{"metadata":{"a":1}}`, `{}`, true, []int{2, 2}},
		"with other metadata":     {marked, `{"metadata":{"a":1}}`, false, []int{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			made := 0
			table := newTable(limits{timeout: DefaultTimeout, orphan: DefaultOrphanWait, bytes: 1 << 20, runs: 10}, func(ended) { made++ })
			at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).UnixNano()
			var likeness uint64
			for i, extra := range []string{c.first, c.second} {
				id := []string{"11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"}[i]
				r, err := langsmith.Read([]byte(`{"post":[{"id":"` + id + `","name":"n` + id + `","start_time":1795305600000,"end_time":1795305601000,"extra":` + extra + `}]}`))
				if err != nil {
					t.Fatal(err)
				}
				var run langsmith.Run
				run.Merge(&r.Ops[0])
				likeness = run.Likeness()
				table.take(&r.Ops[0], "", at)
			}
			if made != c.made[0] {
				t.Errorf("%d at once, not %d", made, c.made[0])
			}
			if c.seen {
				table.sighted(likeness, at+int64(5*time.Second))
			}
			table.advance(at + int64(time.Hour))
			if made != c.made[1] {
				t.Errorf("%d in the end, not %d", made, c.made[1])
			}
		})
	}
}
