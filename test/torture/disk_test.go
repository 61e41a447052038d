package torture

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// diskFull fills the file system below the service and frees it again.
func diskFull(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=48m"); err != nil {
			// Where file systems cannot be mounted the journal's own tests fill one of their making.
			f.say("no right to mount here: %v", err)
			r := goTest(t, f, "./telemetry/journal", "^TestDiskFull")
			f.want(r.failed == 0, "%d tests on a simulated disk", r.passed)
			return
		}
		defer func() {
			if err := syscall.Unmount(disk, 0); err != nil {
				t.Error(err)
			}
		}()
		sink := e2etest.NewSink(t)
		sink.Down()
		config := toSink(sink) + "journal:\n  max_bytes: 1GiB\n  segment_bytes: 1MiB\n"
		s := e2etest.Start(t, e2etest.Spec{DataDir: filepath.Join(disk, "data"), Config: config})
		defer func() {
			if err := s.Kill(); err != nil {
				t.Error(err)
			}
		}()
		ballast := filepath.Join(disk, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 24<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		load := startLoad(t, s, plan{workers: 2, traces: 4, content: 8 << 10})
		if err := within(settled, func() error {
			if load.refused.Load() == 0 {
				return errors.New("nothing is refused")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		logged := len(s.Log())
		time.Sleep(size(time.Second, 10*time.Second, time.Minute))
		for path, want := range map[string]int{"/readyz": 503, "/metrics": 200, "/monitoring/metrics": 200, "/monitoring/sinks": 200, "/healthz": 200} {
			if a := s.Get(path); a.Status != want {
				f.want(false, "%s answered %d on a full disk", path, a.Status)
			}
		}
		lines := strings.Count(s.Log()[min(logged, len(s.Log())):], "\n")
		f.want(load.unheard.Load() == 0, "%d refused with 503", load.refused.Load())
		f.want(load.hintless.Load() == 0, "%d without Retry-After", load.hintless.Load())
		f.want(true, "not ready, every document served")
		f.aim(lines <= 2*max(1, int(size(1, 10, 60)/60)+1), "%d log lines meanwhile", lines)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		freed := time.Now()
		done := load.rounds.Load()
		err := within(30*time.Second, func() error {
			if load.rounds.Load() < done+2 {
				return errors.New("no round is completed")
			}
			return nil
		})
		f.want(err == nil, "ingest resumed")
		f.aim(time.Since(freed) <= 5*time.Second, "%s after space came back", ms(time.Since(freed)))
		load.finish()
		sink.Up()
		f.delivered(load.ledger, sink)
		e.totals(t, s, load.ledger.Totals())
		if a := s.Get("/readyz"); a.Status != http.StatusOK {
			f.want(false, "/readyz says %d %s at the end", a.Status, a.Body)
		}
	}
}

// noRoom sends more at once than the doors hold, and lets clients come again.
func noRoom(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		sink := e2etest.NewSink(t)
		s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink) + "limits:\n  max_request_bytes: 2MiB\n  max_in_flight_bytes: 2MiB\n"})
		load := startLoad(t, s, plan{workers: 24, traces: 4, content: 100 << 10})
		err := within(settled, func() error {
			if n := load.refused.Load(); n < size[int64](20, 300, 3000) {
				return fmt.Errorf("%d refused", n)
			}
			return nil
		})
		load.finish()
		f.want(err == nil, "%d requests refused", load.refused.Load())
		f.want(load.hintless.Load() == 0, "%d of them without 503 and Retry-After", load.hintless.Load())
		f.delivered(load.ledger, sink)
		e.totals(t, s, load.ledger.Totals())
	}
}

// journalFull lets the journal reach its bound while the sink is down.
func journalFull(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		sink := e2etest.NewSink(t)
		sink.Down()
		s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink) + "journal:\n  max_bytes: 8MiB\n  segment_bytes: 1MiB\n"})
		before := memory(t, s, "VmRSS")
		load := startLoad(t, s, plan{workers: 2, traces: 4, every: 300 * time.Millisecond, content: 8 << 10})
		// A journal that fills faster than checkpoints are written refuses until they are:
		// what was not counted never expires.
		err := within(10*time.Minute, func() error {
			// What expires is counted for a sink when it looks next.
			if n := load.ledger.Acked(); n < size[int64](3000, 6000, 40000) {
				return fmt.Errorf("%d acknowledged", n)
			}
			return nil
		})
		load.finish()
		f.want(err == nil && load.refused.Load() == 0, "sink down at the journal's bound: %d requests refused", load.refused.Load())
		f.aim(memory(t, s, "VmRSS")-before < 64<<20, "RSS %+d MiB", (memory(t, s, "VmRSS")-before)>>20)
		sink.Up()
		_ = within(settled, func() error {
			if n := s.Sink("any").QueueSpans; n > 0 {
				return fmt.Errorf("%d wait", n)
			}
			return nil
		})
		o, status := load.ledger.Compare(sink), s.Sink("any")
		f.want(int64(o.Acked) == status.Admitted && status.Admitted == status.Sent+status.Expired && int64(o.Delivered) == status.Sent && status.Expired > 0,
			"%d admitted = %d delivered + %d expired, counted", status.Admitted, o.Delivered, status.Expired)
		e.totals(t, s, load.ledger.Totals())
	}
}
