package journal_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
)

func TestDirectoryAndFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	j := open(t, dir, journal.Options{})
	appendSample(t, j, 1)
	if err := j.PutSidecar(0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("files %v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestOneProcessADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir, journal.Options{})
	_, err := journal.Open(t.Context(), dir, journal.Options{})
	if telemetry.KindOf(err) != telemetry.Unavailable || !strings.Contains(err.Error(), dir) ||
		!strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("second open: %v", err)
	}
	closeJournal(t, first)
	open(t, dir, journal.Options{})
}

func TestLockWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := crashOptions(newBrokenFS(1), 1<<20)
		first := open(t, "/data", o)
		o.LockWait = 30 * time.Second
		var told bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&told, nil))
		start := time.Now()
		if _, err := journal.Open(t.Context(), "/data", o); telemetry.KindOf(err) != telemetry.Unavailable {
			t.Errorf("held for longer than LockWait: %v", err)
		}
		if waited := time.Since(start); waited != o.LockWait {
			t.Errorf("waited %v", waited)
		}
		if n := strings.Count(told.String(), "waiting for another process"); n != 1 || !strings.Contains(told.String(), "dir=/data") {
			t.Errorf("who waits is told %d times why:\n%s", n, &told)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := journal.Open(ctx, "/data", o); ctx.Err() == nil || err == nil {
			t.Errorf("cancelled: %v", err)
		}
		go func() {
			time.Sleep(10 * time.Second)
			_ = first.Close()
		}()
		open(t, "/data", o)
	})
}

func TestNewerFormat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	appendSample(t, j, 1)
	closeJournal(t, j)
	name := filepath.Join(dir, "0000000000000000.seg")
	journal.RewriteFormat(t, name, 2)
	_, err := journal.Open(t.Context(), dir, quiet(journal.Options{}))
	if telemetry.KindOf(err) != telemetry.Unsupported || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("newer format: %v", err)
	}
	journal.RewriteFormat(t, name, 1)
	if got := readAll(t, cursor(t, open(t, dir, journal.Options{}), "all", 0, false)); len(got) != 1 {
		t.Errorf("the refused start changed something: %v", got)
	}
}

func TestSidecars(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j := open(t, "/data", crashOptions(fsys, 1<<20))
	fill(t, j, 0, 2)
	base := j.Segments()[1].Base
	if err := j.PutSidecar(base+1, nil); telemetry.KindOf(err) != telemetry.NotFound {
		t.Errorf("no such segment: %v", err)
	}
	if _, ok, err := j.Sidecar(base); ok || err != nil {
		t.Errorf("none yet: %v, %v", ok, err)
	}
	for _, text := range []string{"first", "", "third"} {
		if err := j.PutSidecar(base, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if data, ok, err := j.Sidecar(base); string(data) != text || !ok || err != nil {
			t.Errorf("%q reads back as %q, %v, %v", text, data, ok, err)
		}
	}
	if !j.Segments()[1].Sidecar || j.Segments()[0].Sidecar {
		t.Errorf("segments %+v", j.Segments())
	}
	before := j.Stats().Bytes
	closeJournal(t, j)
	j = open(t, "/data", crashOptions(fsys, 1<<20))
	if !j.Segments()[1].Sidecar || j.Stats().Bytes != before {
		t.Errorf("after a restart %d bytes, before %d; segments %+v", j.Stats().Bytes, before, j.Segments())
	}
	fsys.names["/data/"+sidecarName(base)].data[13] ^= 1
	if _, ok, err := j.Sidecar(base); ok || err != nil || j.Stats().DamagedSidecars != 1 {
		t.Errorf("damaged: %v, %v, counted %d", ok, err, j.Stats().DamagedSidecars)
	}
}

func sidecarName(base journal.Position) string {
	hex := strconv.FormatUint(uint64(base), 16)
	return strings.Repeat("0", 16-len(hex)) + hex + ".side"
}

func TestSafeTime(t *testing.T) {
	t.Parallel()
	var clock handClock
	fsys := newBrokenFS(1)
	gate := &gatedFS{brokenFS: fsys, entered: make(chan struct{}), proceed: make(chan struct{})}
	o := crashOptions(fsys, 1<<20)
	o.FS, o.Now = gate, clock.now
	j := open(t, "/data", o)
	appendSample(t, j, 0)
	clock.add(time.Minute)
	if got := j.SafeTime(); !got.Equal(clock.now()) {
		t.Errorf("idle: %v, want %v", got, clock.now())
	}
	written := clock.now()
	gate.closed.Store(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		appendSample(t, j, 1)
	}()
	<-gate.entered
	clock.add(time.Minute)
	if got := j.SafeTime(); !got.Equal(written) {
		t.Errorf("while a record of %v is written: %v", written, got)
	}
	gate.closed.Store(false)
	gate.proceed <- struct{}{}
	<-done
	if got := j.SafeTime(); !got.Equal(clock.now()) {
		t.Errorf("after it: %v, want %v", got, clock.now())
	}
}

// The clock is set back by an hour, and later over a restart.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	var clock handClock
	o := crashOptions(newBrokenFS(1), 1<<20)
	o.Now = clock.now
	j := open(t, "/data", o)
	last := j.SafeTime()
	step := func(i uint64) {
		t.Helper()
		appendSample(t, j, i)
		safe := j.SafeTime()
		if safe.Before(last) {
			t.Errorf("SafeTime went from %v back to %v", last, safe)
		}
		last = safe
	}
	step(0)
	clock.add(-time.Hour)
	step(1)
	clock.add(time.Second)
	step(2)
	if want := time.Unix(1_700_000_001, 0); !last.Equal(want) {
		t.Errorf("a second after the step back: %v, want %v", last, want)
	}
	closeJournal(t, j)
	clock.add(-24 * time.Hour)
	j = open(t, "/data", o)
	step(3)
	clock.add(48 * time.Hour)
	step(4)
	if !last.Equal(clock.now()) {
		t.Errorf("the wall clock is ahead again: %v, want %v", last, clock.now())
	}
	// readAll checks the order of the admission times.
	readAll(t, cursor(t, j, "all", 0, false))
}

func TestMemoryAck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fsys := newBrokenFS(1)
		o := crashOptions(fsys, 1<<20)
		o.Ack, o.Now = journal.Memory, time.Now
		j := open(t, "/data", o)
		n := fill(t, j, 0, 2)
		if st := j.Stats(); st.Fsyncs != 0 || st.Appended != n {
			t.Errorf("stats %+v", st)
		}
		if got := readAll(t, cursor(t, j, "all", 0, false)); len(got) != int(n) {
			t.Errorf("read %d of %d", len(got), n)
		}
		reached := j.Durable()
		lost := fsys.image(0, 1)
		time.Sleep(2 * time.Second)
		kept := fsys.image(0, 1)
		closeJournal(t, j)

		o.FS = kept
		j = open(t, "/data", o)
		if got := readAll(t, cursor(t, j, "all", 0, false)); len(got) != int(n) {
			t.Errorf("a power cut after two seconds left %d of %d", len(got), n)
		}
		closeJournal(t, j)
		// A reader that had got further than what the power cut left goes on with what comes.
		o.FS = lost
		j = open(t, "/data", o)
		c := cursor(t, j, "ahead", reached, false)
		appendSample(t, j, 500)
		if got := readAll(t, c); len(got) != 1 {
			t.Errorf("read %v", got)
		}
	})
}

func TestCursorNames(t *testing.T) {
	t.Parallel()
	j := open(t, "/data", crashOptions(newBrokenFS(1), 1<<20))
	c := cursor(t, j, "sink", 0, false)
	if _, err := j.NewCursor("sink", 0, false); telemetry.KindOf(err) != telemetry.Conflict {
		t.Errorf("second of a name: %v", err)
	}
	c.Close()
	c.Close()
	if _, err := c.TryNext(); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("after Close: %v", err)
	}
	cursor(t, j, "sink", 0, false)
	closeJournal(t, j)
	if _, err := j.NewCursor("late", 0, false); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("on a closed journal: %v", err)
	}
}
