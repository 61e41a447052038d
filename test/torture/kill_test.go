package torture

import (
	"math/rand/v2"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// killUnderLoad kills the service while clients send and the sink takes.
func killUnderLoad(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		kills := size(5, 200, 2000)
		sink := e2etest.NewSink(t)
		s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink)})
		load := startLoad(t, s, plan{workers: 4, traces: 8})
		killed(t, s, kills, 20*time.Millisecond, 400*time.Millisecond)
		if err := s.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		load.finish()
		f.say("%d kills", kills)
		o := f.delivered(load.ledger, sink)
		share := 100 * float64(o.Repeated) / float64(max(o.Delivered, 1))
		f.aim(share <= 2, "%.1f %% delivered twice", share)
		e.totals(t, s, load.ledger.Totals())
		s.Crash()
		e.totals(t, s, load.ledger.Totals())
	}
}

// killWhileStarting kills the service again and again before or soon after it
// serves, with a backlog for a sink that is down.
func killWhileStarting(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		kills := size(8, 300, 2000)
		sink := e2etest.NewSink(t)
		sink.Down()
		s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink)})
		load := startLoad(t, s, plan{workers: 4, traces: 8})
		killed(t, s, kills, 5*time.Millisecond, 120*time.Millisecond)
		if err := s.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		load.finish()
		sink.Up()
		f.say("%d kills", kills)
		f.delivered(load.ledger, sink)
		e.totals(t, s, load.ledger.Totals())
	}
}

// killed kills and starts a service that many times, each life of a length
// between from and to.
func killed(t *testing.T, s *e2etest.Server, kills int, from, to time.Duration) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	for range kills {
		time.Sleep(from + time.Duration(random.Int64N(int64(to-from))))
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := s.Relaunch(); err != nil {
			t.Fatal(err)
		}
	}
}
