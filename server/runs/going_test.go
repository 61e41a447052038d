package runs

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// TestRunsThatGoOn: a run whose end has not come is listed and shown, alone and
// beside what has ended below it; one that was given up keeps its state and has no
// duration.
func TestRunsThatGoOn(t *testing.T) {
	state := func(s otlp.SpanData, state, run string) otlp.SpanData {
		s.End = 0
		s.Attributes = append(s.Attributes, otlp.Str(semconv.TreqRunState, state), otlp.Str(semconv.LSSpanID, run))
		return s
	}
	run := func(n uint64) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }
	request := func(spans ...otlp.SpanData) []byte {
		return otlp.AppendTraceRequest(nil, otlp.ResourceData{Scopes: []otlp.ScopeData{{Spans: spans}}})
	}
	going := request(state(llm(1, 1, 0), "running", run(1)), state(llm(2, 4, 0), "running", run(2)))
	change := func(o *Options) {
		o.Going = func(id [16]byte) []byte {
			if id == traceID(3) {
				return nil
			}
			return going
		}
	}
	within(t, change, func(h *house) {
		t := h.t
		list := func() (names []string) {
			t.Helper()
			l, err := h.viewer.Recent(h.t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range l.Runs {
				names = append(names, r.Name+" "+r.State)
			}
			return names
		}
		if diff := cmp.Diff([]string{"span 4 running", "span 1 running"}, list()); diff != "" {
			t.Errorf("nothing has ended (-want +got):\n%s", diff)
		}
		h.append(request(llm(1, 2, 1)))
		h.append(request(state(llm(3, 3, 0), "timed_out", run(3)), llm(3, 5, 3)))
		h.settle()
		if diff := cmp.Diff([]string{"span 4 running", "span 1 running", "span 3 timed_out"}, list()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, id := range []string{run(1), traceText(1), spanHex(2)} {
			r := h.get(id)
			if id == spanHex(2) {
				if r.State != "" || r.DurationMS == nil {
					t.Errorf("%s: %+v", id, r.Summary)
				}
				continue
			}
			if r.State != "running" || r.DurationMS != nil || r.Spans != 2 || r.Start.String() == "" || len(r.Tree[0].Children) != 1 {
				t.Errorf("%s: %+v", id, r.Summary)
			}
		}
		if r := h.get(run(2)); r.State != "running" || r.Spans != 1 {
			t.Errorf("%+v", r.Summary)
		}
		if r := h.get(run(3)); r.State != "timed_out" || r.DurationMS != nil || r.Spans != 2 || r.Start.String() == "" {
			t.Errorf("%+v", r.Summary)
		}
		h.absent(run(4))
	})
}

// A run that stops going on after it was found by that is shown as it was found.
func TestARunThatEndsOnceItIsFound(t *testing.T) {
	asked := 0
	going := llm(1, 1, 0, otlp.Str(semconv.TreqRunState, "running"))
	going.End = 0
	within(t, func(o *Options) {
		o.Going = func([16]byte) []byte {
			if asked++; asked > 1 {
				return nil
			}
			return body(going)
		}
	}, func(h *house) {
		if r := h.get(traceText(1)); r.Spans != 1 || r.State != "running" || r.Repeated != 0 {
			t.Errorf("%+v", r.Summary)
		}
	})
}

// A run that stops going on between the look into the index and the question of what goes
// on is found: it is in the journal by then.
func TestARunThatEndsWhileItIsLookedFor(t *testing.T) {
	var end func()
	within(t, func(o *Options) {
		o.Going = func([16]byte) []byte {
			if end != nil {
				end()
			}
			end = nil
			return nil
		}
	}, func(h *house) {
		end = func() {
			h.append(otlp.AppendTraceRequest(nil, otlp.ResourceData{Scopes: []otlp.ScopeData{{Spans: []otlp.SpanData{llm(1, 1, 0)}}}}))
		}
		if r := h.get(traceText(1)); r.Spans != 1 {
			t.Errorf("%+v", r.Summary)
		}
	})
}
