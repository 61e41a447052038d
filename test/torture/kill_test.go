package torture

import (
	"errors"
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
		// A life is counted from its first acknowledgement: before that nothing is ingested.
		var before int64
		killed(t, s, kills, 20*time.Millisecond, 400*time.Millisecond, func() error {
			if load.ledger.Acked() == before {
				return errors.New("nothing is acknowledged")
			}
			return nil
		}, func() { before = load.ledger.Acked() })
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
		killed(t, s, kills, 5*time.Millisecond, 120*time.Millisecond, func() error { return nil }, func() {})
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

// killed kills and starts a service that many times, each life of a length between
// from and to since begun gave no error; dead is called after every kill.
func killed(t *testing.T, s *e2etest.Server, kills int, from, to time.Duration, begun func() error, dead func()) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	for range kills {
		if err := within(settled, begun); err != nil {
			t.Fatal(err)
		}
		time.Sleep(from + time.Duration(random.Int64N(int64(to-from))))
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		dead()
		if err := s.Relaunch(); err != nil {
			t.Fatal(err)
		}
	}
}
