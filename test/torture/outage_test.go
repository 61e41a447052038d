package torture

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// sinkDown keeps the sink down for a while at a steady rate.
func sinkDown(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		down := size(3*time.Second, time.Minute, 10*time.Minute)
		sink := e2etest.NewSink(t)
		s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink)})
		warm := startLoad(t, s, plan{workers: 1, traces: 5, every: 100 * time.Millisecond})
		time.Sleep(time.Second)
		warm.finish()
		sink.Down()
		before := memory(t, s, "VmRSS")
		load := startLoad(t, s, plan{workers: 1, traces: 5, every: 100 * time.Millisecond}) // 200 spans a second
		time.Sleep(down)
		load.finish()
		grown := memory(t, s, "VmRSS") - before
		sink.Up()
		up := time.Now()
		seen := len(sink.Requests())
		var first time.Time
		_ = within(settled, func() error {
			if first.IsZero() && len(sink.Requests()) > seen {
				first = time.Now()
			}
			if n := load.ledger.Missing(sink); n > 0 {
				return fmt.Errorf("%d missing", n)
			}
			return nil
		})
		f.say("down for %v", down)
		f.want(load.refused.Load()+load.unheard.Load() == 0, "%d requests refused", load.refused.Load()+load.unheard.Load())
		// The sink saw the spans of the time before too.
		o := load.ledger.Compare(sink)
		f.want(o.Lost == 0, "%d of %d spans lost", o.Lost, o.Acked)
		f.want(o.Altered == 0, "%d altered", o.Altered)
		drain := float64(o.Acked) / max(time.Since(first).Seconds(), 0.02)
		f.aim(drain >= 1000, "drained at %.0f spans/s", drain)
		f.say("first delivery %s after it came back", ms(first.Sub(up)))
		f.aim(grown < 20<<20, "RSS %+d MiB", grown>>20)
		f.want(ordered(sink), "order within each trace kept")
		e.totals(t, s, plus(warm.ledger.Totals(), load.ledger.Totals()))
	}
}

func plus(a, b e2etest.Totals) e2etest.Totals {
	return e2etest.Totals{
		Chats: a.Chats + b.Chats, Failed: a.Failed + b.Failed, RAGQueries: a.RAGQueries + b.RAGQueries, NoResults: a.NoResults + b.NoResults,
		Searches: a.Searches + b.Searches, Calls: a.Calls + b.Calls, Tokens: a.Tokens + b.Tokens,
	}
}

// ordered tells whether no root came before the leaves that were acknowledged before it.
func ordered(sink *e2etest.Sink) bool {
	leaves := map[string]int{}
	for _, r := range sink.Requests() {
		if r.Status != http.StatusOK {
			continue
		}
		for _, span := range r.Spans {
			switch id := string(span.TraceId); {
			case len(span.ParentSpanId) > 0:
				leaves[id]++
			case leaves[id] < e2etest.SpansPerTrace-1:
				return false
			}
		}
	}
	return true
}

// isolation lets one of two sinks hang.
func isolation(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		each := size(2*time.Second, 20*time.Second, time.Minute)
		well, ill := e2etest.NewSink(t), e2etest.NewSink(t)
		config := toSink(well) + fmt.Sprintf("  - name: ill\n    endpoint: %s/v1/traces\n", ill.URL())
		s := e2etest.Start(t, e2etest.Spec{Config: config})
		load := startLoad(t, s, plan{workers: 2, traces: 10, every: 40 * time.Millisecond})
		time.Sleep(each)
		before := load.p99()
		ill.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Hang: true} })
		var lag time.Duration
		for until := time.Now().Add(each); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
			lag = max(lag, time.Duration(age(t, s, "any")*float64(time.Second)))
		}
		hanging := load.p99()
		load.finish()
		f.want(load.refused.Load() == 0, "%d requests refused", load.refused.Load())
		f.aim(float64(hanging) <= 1.1*float64(before)+float64(2*time.Millisecond), "p99 of ingest %s, before %s", ms(hanging), ms(before))
		f.aim(lag < 2*time.Second, "the other sink at most %s behind", ms(lag))
		f.delivered(load.ledger, well)
		e.totals(t, s, load.ledger.Totals())
	}
}

// terminate stops the service under load, the sink in each of four states.
func terminate(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		times := size(1, 10, 50)
		var slowest time.Duration
		var states []string
		for _, state := range []struct {
			name string
			set  func(*e2etest.Sink)
		}{
			{"healthy", func(*e2etest.Sink) {}},
			{"refusing", (*e2etest.Sink).Down},
			{"503", func(s *e2etest.Sink) {
				s.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Status: 503} })
			}},
			{"hanging", func(s *e2etest.Sink) {
				s.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Hang: true} })
			}},
		} {
			sink := e2etest.NewSink(t)
			s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink)})
			state.set(sink)
			load := startLoad(t, s, plan{workers: 3, traces: 4})
			longest := time.Duration(0)
			for range times {
				time.Sleep(200 * time.Millisecond)
				started := time.Now()
				if err := s.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				code, err := s.Exit(40 * time.Second)
				if err != nil || code != 0 {
					t.Errorf("%s: exit code %d, %v", state.name, code, err)
				}
				longest = max(longest, time.Since(started))
				s.Again()
			}
			load.finish()
			sink.Down()
			sink.Play(nil)
			sink.Up()
			_ = within(settled, func() error {
				if n := load.ledger.Missing(sink); n > 0 {
					return fmt.Errorf("%d missing", n)
				}
				return nil
			})
			if o := load.ledger.Compare(sink); o.Lost+o.Altered+o.Unknown > 0 {
				f.want(false, "%s: %+v", state.name, o)
			}
			if log := strings.ToLower(s.Log()); strings.Contains(log, "dropping") {
				f.want(false, "%s: the log speaks of dropping", state.name)
			}
			e.totals(t, s, load.ledger.Totals())
			slowest = max(slowest, longest)
			states = append(states, fmt.Sprintf("%s %s", state.name, ms(longest)))
			if err := s.Kill(); err != nil {
				t.Fatal(err)
			}
			sink.Down()
		}
		f.want(true, "%d stops in each state: 0 lost, exit code 0", times)
		f.aim(slowest <= 10*time.Second, "longest stop: %s", strings.Join(states, ", "))
	}
}
