package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/journal"
)

// ledger is what clients were told.
type ledger struct {
	submitted uint64 // samples 0 to submitted were sent
	acked     map[uint64]journal.Receipt
	committed journal.Position // by the essential cursor: retention may take what is before
	sidecars  map[journal.Position]string
	maxBytes  int64
	prepared  bool          // spares are made, whenever there is none
	clock     *tickingClock // with prepared
}

// options are those of crashOptions, with room and time for spares where they are
// wanted.
func (l *ledger) options(fsys *brokenFS) journal.Options {
	o := crashOptions(fsys, l.maxBytes)
	if l.prepared {
		o.Prepare, o.Now = 1<<40, l.clock.now
	}
	return o
}

// tickingClock goes on by more than a rate is looked at over whenever it is read.
type tickingClock struct{ read atomic.Int64 }

func (c *tickingClock) now() time.Time {
	return time.Unix(1_700_000_000, 0).Add(time.Duration(c.read.Add(1)) * 200 * time.Millisecond)
}

// crashOptions makes small segments that expire soon.
func crashOptions(fsys *brokenFS, maxBytes int64) journal.Options {
	now := time.Unix(1_700_000_000, 0)
	return quiet(journal.Options{
		FS: fsys, SegmentBytes: 4 << 10, MaxBytes: maxBytes, RingBytes: 2 << 10, Reserve: -1,
		Now: func() time.Time { return now },
	})
}

// play uses a journal as a process does: appends with retries, reading, commits,
// sidecars and a restart. It ends early when the power is cut.
func (l *ledger) play(t *testing.T, fsys *brokenFS, entries int) {
	t.Helper()
	var j *journal.Journal
	var c *journal.Cursor
	start := func() bool {
		var err error
		// A failing disk may keep it from starting for a while.
		for range 5 {
			if j, err = journal.Open(context.Background(), "/data", l.options(fsys)); err == nil {
				break
			}
		}
		if err == nil {
			for range 5 {
				if c, err = j.NewCursor("meter", l.committed, true); err == nil {
					break
				}
			}
		}
		if err != nil && !errors.Is(err, errPowerCut) {
			t.Fatalf("start: %v", err)
		}
		return err == nil
	}
	stop := func() {
		if j != nil {
			// What a failing disk says at the end changes nothing of what was promised.
			_ = j.Close()
		}
	}
	defer func() { stop() }()
	if !start() {
		return
	}
	for n := range entries {
		i := l.submitted
		l.submitted++
		for range 5 {
			r, err := j.Append(context.Background(), sample(i))
			if l.prepared {
				journal.AwaitSpare(j)
			}
			if err == nil {
				l.acked[i] = r
				break
			}
			if telemetry.KindOf(err) != telemetry.Unavailable {
				t.Fatalf("Append: %v", err)
			}
		}
		if n%3 == 2 {
			l.catchUp(t, c)
			l.putSidecars(j)
		}
		if n == entries/2 {
			stop()
			if !start() {
				return
			}
		}
	}
	l.catchUp(t, c)
}

// catchUp reads to the tail and commits all but the last record.
func (l *ledger) catchUp(t *testing.T, c *journal.Cursor) {
	t.Helper()
	var last journal.Position
	for range 100 {
		r, err := c.TryNext()
		if err != nil {
			if telemetry.KindOf(err) != telemetry.Unavailable {
				t.Fatalf("TryNext: %v", err)
			}
			continue
		}
		if r == nil {
			break
		}
		if i := identify(t, r); i >= l.submitted {
			t.Fatalf("read sample %d, which nobody sent", i)
		}
		last = r.Position
		r.Release()
	}
	if last > 0 {
		l.committed = max(l.committed, last)
		c.Commit(last)
	}
}

func (l *ledger) putSidecars(j *journal.Journal) {
	for _, s := range j.Segments() {
		if s.Sealed && !s.Sidecar {
			text := fmt.Sprintf("sidecar of %d", s.Base)
			if j.PutSidecar(s.Base, []byte(text)) == nil {
				l.sidecars[s.Base] = text
			}
		}
	}
}

// verify starts on what is left, reads everything, compares with what was promised,
// and appends once more. It gives the journal's figures.
func (l *ledger) verify(t *testing.T, fsys *brokenFS) {
	t.Helper()
	j, err := journal.Open(context.Background(), "/data", l.options(fsys))
	if err != nil {
		t.Fatalf("Open after the crash: %v", err)
	}
	defer closeJournal(t, j)
	c := cursor(t, j, "verify", 0, false)
	defer c.Close()
	got := readAll(t, c)
	for i, at := range got {
		if i >= l.submitted {
			t.Fatalf("sample %d at %d was never sent", i, at)
		}
	}
	for i, r := range l.acked {
		at, ok := got[i]
		if !ok && r.Position >= l.committed {
			t.Fatalf("sample %d at %d was acknowledged and is lost", i, r.Position)
		}
		if ok && at != r.Position {
			t.Fatalf("sample %d was acknowledged at %d and is at %d", i, r.Position, at)
		}
		if ok {
			if again := appendSample(t, j, i); !again.Duplicate || again.Position != r.Position || again.End != r.End || again.Check != i*3 {
				t.Fatalf("sample %d again: %+v, want a duplicate of %+v", i, again, r)
			}
		}
	}
	for _, s := range j.Segments() {
		want, stored := l.sidecars[s.Base]
		data, ok, err := j.Sidecar(s.Base)
		if err != nil || stored && (!ok || string(data) != want) {
			t.Fatalf("sidecar of %d: %q, %v, %v", s.Base, data, ok, err)
		}
	}
	fresh := l.submitted + 1000
	if r := appendSample(t, j, fresh); r.Duplicate {
		t.Fatalf("a new sample is a duplicate: %+v", r)
	}
	if next := readAll(t, c); len(next) != 1 {
		t.Fatalf("after the crash one append reads back as %v", next)
	}
}

func newLedger() *ledger {
	return &ledger{acked: map[uint64]journal.Receipt{}, sidecars: map[journal.Position]string{}, maxBytes: 24 << 10}
}

// newPreparedLedger is that of a journal that makes spares.
func newPreparedLedger() *ledger {
	l := newLedger()
	l.maxBytes, l.prepared, l.clock = 64<<10, true, new(tickingClock)
	return l
}

// ledgers are the ways in which a journal is used until it breaks.
var ledgers = map[string]func() *ledger{"appended": newLedger, "prepared": newPreparedLedger}

const crashEntries = 24

// calls tells how many file system calls a scenario makes.
func calls(t *testing.T, begin func() *ledger) int {
	t.Helper()
	fsys := newBrokenFS(1)
	l := begin()
	l.play(t, fsys, crashEntries)
	if len(l.acked) != crashEntries {
		t.Fatalf("%d of %d entries acknowledged on a sound disk", len(l.acked), crashEntries)
	}
	l.verify(t, fsys.image(100, 1))
	return fsys.calls
}

// The power is cut in every call, the disk keeps 0, 30, 70 or 100 % of what was not
// durable, and again in a call of the start after it.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for name, begin := range ledgers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			powerCuts(t, begin)
		})
	}
}

func powerCuts(t *testing.T, begin func() *ledger) {
	n := calls(t, begin)
	points := 0
	seeds := uint64(1)
	if os.Getenv("TORTURE") != "" {
		seeds = 2 // make torture
	}
	point := ""
	defer func() {
		if t.Failed() {
			t.Log(point)
		}
	}()
	for at := 1; at <= n; at++ {
		for _, percent := range []int{0, 30, 70, 100} {
			for k := range seeds {
				seed := uint64(at) + k
				point = fmt.Sprintf("power cut in call %d of %d, %d %% kept, seed %d", at, n, percent, seed)
				fsys := newBrokenFS(seed)
				fsys.cutAt = at
				l := begin()
				l.play(t, fsys, crashEntries)
				l.verify(t, fsys.image(percent, seed))

				again := fsys.image(percent, seed)
				again.cutAt = 1 + (at*7+percent+int(seed))%60
				l.play(t, again, 6)
				l.verify(t, again.image(percent, seed+9))
				points += 2
			}
		}
	}
	t.Logf("%d power cuts over %d calls", points, n)
}

// Every call fails, alone or with the calls after it. The process lives on, and
// then the power is cut.
func TestFailingCalls(t *testing.T) {
	t.Parallel()
	for name, begin := range ledgers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failingCalls(t, begin)
		})
	}
}

func failingCalls(t *testing.T, begin func() *ledger) {
	n := calls(t, begin)
	point := ""
	defer func() {
		if t.Failed() {
			t.Log(point)
		}
	}()
	for at := 1; at <= n; at++ {
		for _, length := range []int{1, 2, 3} {
			point = fmt.Sprintf("calls %d to %d of %d failed", at, at+length-1, n)
			fsys := newBrokenFS(uint64(at))
			fsys.failAt, fsys.failFor = at, length
			l := begin()
			l.play(t, fsys, crashEntries)
			if len(l.acked) != crashEntries {
				t.Fatalf("%d of %d entries acknowledged after retries", len(l.acked), crashEntries)
			}
			l.verify(t, fsys.image(0, uint64(at)))
			l.verify(t, fsys.image(100, uint64(at)))
		}
	}
}

// The process dies in every call, and what the next one could read survives a power
// cut, acknowledged by the first one or not.
func TestReadableIsDurable(t *testing.T) {
	t.Parallel()
	for name, begin := range ledgers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readableIsDurable(t, begin)
		})
	}
}

func readableIsDurable(t *testing.T, begin func() *ledger) {
	n := calls(t, begin)
	for at := 1; at <= n; at++ {
		fsys := newBrokenFS(uint64(at))
		fsys.cutAt = at
		l := begin()
		l.play(t, fsys, crashEntries)

		next := fsys.killed()
		j, err := journal.Open(context.Background(), "/data", l.options(next))
		if err != nil {
			t.Fatalf("killed in call %d: %v", at, err)
		}
		before := readAll(t, cursor(t, j, "before", 0, false))
		after := next.image(0, 1)
		closeJournal(t, j)

		j, err = journal.Open(context.Background(), "/data", l.options(after))
		if err != nil {
			t.Fatalf("killed in call %d: %v", at, err)
		}
		found := readAll(t, cursor(t, j, "after", 0, false))
		closeJournal(t, j)
		if diff := cmp.Diff(before, found); diff != "" {
			t.Fatalf("killed in call %d: what was read before the power cut (-) and after (+):\n%s", at, diff)
		}
	}
}

// Several clients append at once when the power is cut.
func TestPowerCutUnderLoad(t *testing.T) {
	t.Parallel()
	const clients, each = 4, 8
	for at := 1; at <= 120; at++ {
		fsys := newBrokenFS(uint64(at))
		fsys.cutAt = at
		l := newLedger()
		l.submitted, l.maxBytes = clients*each, 1<<20
		if j, err := journal.Open(context.Background(), "/data", l.options(fsys)); err == nil {
			var mu sync.Mutex
			var wg sync.WaitGroup
			for c := range uint64(clients) {
				wg.Go(func() {
					for n := range uint64(each) {
						i := c*each + n
						if r, err := j.Append(context.Background(), sample(i)); err == nil {
							mu.Lock()
							l.acked[i] = r
							mu.Unlock()
						}
					}
				})
			}
			wg.Wait()
			// It may say that the power is cut.
			_ = j.Close()
		}
		for _, percent := range []int{0, 30, 70, 100} {
			l.verify(t, fsys.image(percent, uint64(at)))
		}
	}
}
