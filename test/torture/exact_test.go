package torture

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// quick makes fragments close soon after their SERVER span came.
const quick = "chats:\n  close:\n    root: 300ms\n"

// settled bounds the wait for totals on a loaded machine.
const settled = 90 * time.Second

// toSink is the configuration of one sink, named any.
func toSink(sink *e2etest.Sink) string {
	return quick + fmt.Sprintf("sinks:\n  - name: any\n    endpoint: %s/v1/traces\n    delay: 20ms\n    timeout: 2s\n", sink.URL())
}

// exactness gathers, over all rows, what the documents said of what was acknowledged.
type exactness struct {
	compared int
	chats    int64
	wrong    []string
}

// totals wants the documents to say exactly what the ledger knows, and notes it.
func (e *exactness) totals(t *testing.T, s *e2etest.Server, want e2etest.Totals) {
	t.Helper()
	e.compared++
	e.chats += want.Chats
	var diff string
	err := within(settled, func() error {
		if diff = cmp.Diff(want, e2etest.Of(s.Metrics("?service="+service))); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
	if err != nil {
		e.wrong = append(e.wrong, t.Name())
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

// within retries check until it gives nil, for at most d.
func within(d time.Duration, check func() error) error {
	for deadline := time.Now().Add(d); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// delivered waits until the sink has every acknowledged span, and notes what is
// lost, altered or of unknown origin.
func (f *figures) delivered(l *e2etest.Ledger, s *e2etest.Sink) e2etest.Outcome {
	f.t.Helper()
	_ = within(settled, func() error {
		if n := l.Missing(s); n > 0 {
			return fmt.Errorf("%d missing", n)
		}
		return nil
	})
	o := l.Compare(s)
	f.want(o.Acked > 0, "%d spans acknowledged", o.Acked)
	f.want(o.Lost == 0, "%d lost", o.Lost)
	f.want(o.Altered+o.Unknown == 0, "%d altered or unknown", o.Altered+o.Unknown)
	return o
}

// runExact is the row that sums up the others: it comes last.
func (e *exactness) run(_ *testing.T, f *figures) {
	f.want(len(e.wrong) == 0, "%d documents wrong of %d compared after kills, retries, refusals and restarts", len(e.wrong), e.compared)
	f.say("%d chats in them", e.chats)
}
