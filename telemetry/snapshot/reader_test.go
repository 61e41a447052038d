package snapshot_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

// slow is a producer whose collections take a while.
type slow struct {
	takes       time.Duration
	collections atomic.Int64
	fail        atomic.Bool
}

func (p *slow) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	p.collections.Add(1)
	time.Sleep(p.takes)
	if p.fail.Load() {
		return nil, errors.New("a producer failed")
	}
	return nil, ctx.Err()
}

func mustSnapshot(t *testing.T, r *snapshot.Reader) *snapshot.Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshotsAreSharedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, snapshot.Options{})
		first := mustSnapshot(t, l.reader)
		time.Sleep(snapshot.DefaultMaxAge)
		if mustSnapshot(t, l.reader) != first {
			t.Error("a collection was not used for its whole age")
		}
		time.Sleep(time.Nanosecond)
		second := mustSnapshot(t, l.reader)
		if second == first {
			t.Error("a collection was used beyond its age")
		}
		l.Chat(&telemetry.Chat{Duration: time.Second})
		l.reader.Invalidate()
		if got := mustSnapshot(t, l.reader).Tally("").Chats; got != 1 {
			t.Errorf("%d chats after Invalidate, want 1", got)
		}
		if got := second.Tally("").Chats; got != 0 {
			t.Errorf("an old snapshot came to hold %d chats", got)
		}
	})
}

func TestConcurrentAskersShareACollection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &slow{takes: time.Second}
		l := begin(t, snapshot.Options{Producers: []sdkmetric.Producer{p}, MaxAge: -1})
		var wg sync.WaitGroup
		ask := func(n int) {
			for range n {
				wg.Go(func() {
					asked := time.Now()
					if s, err := l.reader.Snapshot(t.Context()); err != nil || s.Began().Before(asked) {
						t.Errorf("asked at %v, answered from %v, %v", asked, s.Began(), err)
					}
				})
			}
		}
		ask(1)
		synctest.Wait()
		// These come while the first is on its way: none may use it, all share the next.
		time.Sleep(time.Millisecond)
		ask(50)
		wg.Wait()
		if got := p.collections.Load(); got != 2 {
			t.Errorf("%d collections for 51 askers, want 2", got)
		}
	})
}

func TestAnAskerJoinsAFreshCollection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &slow{takes: time.Second}
		l := begin(t, snapshot.Options{Producers: []sdkmetric.Producer{p}})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { mustSnapshot(t, l.reader) })
			time.Sleep(5 * time.Millisecond)
		}
		wg.Wait()
		if got := p.collections.Load(); got != 1 {
			t.Errorf("%d collections, want 1", got)
		}
		// A post counted meanwhile makes the one on its way too old.
		l.reader.Invalidate()
		wg.Go(func() { mustSnapshot(t, l.reader) })
		synctest.Wait()
		l.Chat(&telemetry.Chat{Duration: time.Second})
		l.reader.Invalidate()
		if got := mustSnapshot(t, l.reader).Tally("").Chats; got != 1 {
			t.Errorf("%d chats, want 1", got)
		}
		wg.Wait()
	})
}

func TestFailuresAndPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &slow{takes: time.Second}
		p.fail.Store(true)
		l := begin(t, snapshot.Options{Producers: []sdkmetric.Producer{p}})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if s, err := l.reader.Snapshot(t.Context()); err == nil || s != nil {
					t.Errorf("got %v and %v, want the producer's error", s, err)
				}
			})
		}
		wg.Wait()
		p.fail.Store(false)

		leaving, leave := context.WithCancel(t.Context())
		wg.Go(func() {
			// Who collects does so to the end, whatever becomes of its own request.
			if _, err := l.reader.Snapshot(leaving); err != nil {
				t.Errorf("the collecting asker got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := l.reader.Snapshot(leaving); !errors.Is(err, context.Canceled) {
				t.Errorf("an asker that left got %v", err)
			}
		})
		synctest.Wait()
		leave()
		wg.Wait()
		if got := p.collections.Load(); got != 2 {
			t.Errorf("%d collections, want 2", got)
		}
	})
}

func TestMetricByName(t *testing.T) {
	l := begin(t, snapshot.Options{})
	l.Late(3)
	s := mustSnapshot(t, l.reader)
	if m, ok := s.Metric(instrument.MeterScope, instrument.PipelineLate); !ok || m.Name != instrument.PipelineLate {
		t.Errorf("got %v, %v", m, ok)
	}
	if _, ok := s.Metric(instrument.ProcessScope, instrument.PipelineLate); ok {
		t.Error("found in another scope")
	}
	if _, ok := s.Metric(instrument.MeterScope, "nothing"); ok {
		t.Error("found what was never measured")
	}
}

func TestRecordingWhileOthersRead(t *testing.T) {
	l := begin(t, snapshot.Options{MaxAge: -1})
	playGuide(l, 0, 50)
	l = l.reincarnate(t)
	e := expose(t, l.reader)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			before := int64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				s, err := l.reader.Snapshot(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if chats := s.Tally("").Chats; chats < before {
					t.Errorf("%d chats after %d", chats, before)
				} else {
					before = chats
				}
				get(e, acceptText)
			}
		})
	}
	for part := 50; part < 100; part++ {
		l.Lock()
		playGuide(l, part, part+1)
		l.Unlock()
	}
	close(done)
	wg.Wait()
	compareWithGuide(t, l.tally(t, ""))
}
