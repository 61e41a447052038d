package history

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
)

func TestClockNeverGoesBack(t *testing.T) {
	at := noon
	c := newClock(func() time.Time { return at })
	last := c.now()
	look := func(machine time.Time, want time.Time, lead time.Duration) {
		t.Helper()
		at = machine
		got := c.now()
		if !got.Equal(want) || c.lead() != lead {
			t.Errorf("at %v it is %v, %v ahead; want %v, %v", machine, got, c.lead(), want, lead)
		}
		if got.Before(last) {
			t.Errorf("it went back from %v to %v", last, got)
		}
		last = got
	}
	look(noon.Add(time.Minute), noon.Add(time.Minute), 0)
	// Back by an hour: on from where it was, seven eighths as fast.
	look(noon.Add(-59*time.Minute), noon.Add(time.Minute), time.Hour)
	look(noon.Add(-51*time.Minute), noon.Add(8*time.Minute), 59*time.Minute)
	// Back once more.
	look(noon.Add(-61*time.Minute), noon.Add(8*time.Minute), 69*time.Minute)
	// Forward: at once, and ahead by what is left.
	look(noon.Add(-61*time.Minute+8*time.Hour), noon.Add(-61*time.Minute+8*time.Hour+9*time.Minute), 9*time.Minute)
	look(noon.Add(24*time.Hour), noon.Add(24*time.Hour), 0)
	c.notBefore(noon.Add(25 * time.Hour))
	look(noon.Add(24*time.Hour), noon.Add(25*time.Hour), time.Hour)
	c.notBefore(noon) // is long over
	look(noon.Add(24*time.Hour), noon.Add(25*time.Hour), time.Hour)
}

// A second that passes between two looks is one also where the clock was set back in
// between: the machine counts it apart.
func TestClockGoesOnByTheMonotonicReading(t *testing.T) {
	begun := time.Now()
	c := newClock(func() time.Time { return begun })
	at := time.Now()
	passed := at.Sub(begun)
	c.machine = func() time.Time { return at }
	if got, want := c.now(), at.Round(0); got.Sub(want).Abs() > passed || c.lead() != 0 {
		t.Errorf("%v, %v ahead of %v", got, c.lead(), want)
	}
}

// Where the machine's clock is set back, sampling goes on, windows count what was
// counted, and a process that starts then goes on too.
func TestSamplingWhileTheClockIsSetBack(t *testing.T) {
	dir := t.TempDir() + "/history"
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Int64
		machine := func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }
		a := newApp()
		a.chats.WithLabelValues("app").Add(1)
		during := func(f func(*Store)) {
			s := open(t, Options{Dir: dir, Now: machine})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.Run(ctx, Source{
					Ready:    func() error { return nil },
					Families: func(context.Context) ([]*dto.MetricFamily, error) { return a.Gather() },
					Restored: func() bool { return true },
				})
			}()
			f(s)
			cancel()
			<-done
			if st := s.Status(); st.Skipped > 0 {
				t.Errorf("%d samplings were skipped", st.Skipped)
			}
			_ = s.Close()
		}
		during(func(s *Store) {
			time.Sleep(10*time.Minute + s.Step()/2) // not while a sample is taken
			back.Store(int64(time.Hour))
			a.chats.WithLabelValues("app").Add(4)
			time.Sleep(2 * s.Step())
			s.want(t, s.Now(), `treq_chat_tokens_total - min_over_time(treq_chat_tokens_total[35s])`, 4)
			if ahead := s.Status().Ahead; ahead > time.Hour || ahead < time.Hour-time.Minute {
				t.Errorf("%v ahead", ahead)
			}
		})
		during(func(s *Store) {
			time.Sleep(s.Step() / 2)
			a.chats.WithLabelValues("app").Add(2)
			time.Sleep(2 * s.Step())
			s.want(t, s.Now(), `treq_chat_tokens_total - min_over_time(treq_chat_tokens_total[35s])`, 2)
			time.Sleep(8*time.Hour + time.Minute)
			if ahead := s.Status().Ahead; ahead != 0 {
				t.Errorf("%v ahead", ahead)
			}
			s.want(t, machine(), `treq_chat_tokens_total`, 7)
			s.want(t, machine(), `resets(treq_chat_tokens_total[1d])`, 0)
		})
	})
}
