package merger

import (
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
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
