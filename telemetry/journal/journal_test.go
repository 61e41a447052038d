package journal_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/compress"
	"treq/telemetry/journal"
)

func TestAppendAndRead(t *testing.T) {
	t.Parallel()
	for name, ringBytes := range map[string]int64{"from memory": 1 << 20, "from disk": -1, "from both": 4 << 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := open(t, t.TempDir(), journal.Options{RingBytes: ringBytes, SegmentBytes: 10 << 10})
			early := cursor(t, j, "early", 0, false)
			want := map[uint64]journal.Position{}
			var ends journal.Position
			for i := range uint64(50) {
				r := appendSample(t, j, i)
				if r.Duplicate || r.Check != i*3 || r.Position < ends || r.End <= r.Position {
					t.Fatalf("receipt %+v after %d", r, ends)
				}
				ends = r.End
				want[i] = r.Position
			}
			if j.Durable() != ends {
				t.Errorf("Durable %d, the last receipt ends at %d", j.Durable(), ends)
			}
			if diff := cmp.Diff(want, readAll(t, early)); diff != "" {
				t.Errorf("read (-sent +read):\n%s", diff)
			}
			if early.Position() != ends {
				t.Errorf("Position %d at the tail, want %d", early.Position(), ends)
			}
			if diff := cmp.Diff(want, readAll(t, cursor(t, j, "late", 0, false))); diff != "" {
				t.Errorf("read again (-sent +read):\n%s", diff)
			}
			middle := cursor(t, j, "middle", want[25], false)
			if got := readAll(t, middle); len(got) != 25 || got[25] != want[25] {
				t.Errorf("from record 25 on: %v", got)
			}
			st := j.Stats()
			if st.Appended != 50 || st.Segments < 4 || st.Duplicates != 0 || st.Damaged != 0 || st.Batches != 50 || st.Fsyncs != 50 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := map[uint64]journal.Position{}
	for life := range uint64(4) {
		j := open(t, dir, journal.Options{SegmentBytes: 6 << 10})
		if diff := cmp.Diff(want, readAll(t, cursor(t, j, "all", 0, false))); diff != "" {
			t.Fatalf("life %d (-sent +read):\n%s", life, diff)
		}
		for i := life * 10; i < life*10+10; i++ {
			want[i] = appendSample(t, j, i).Position
		}
		var records, items uint64
		for _, s := range j.Segments() {
			records += s.Records
			items += s.Items
		}
		if records != (life+1)*10 || items < records {
			t.Errorf("life %d: segments hold %d records, %d items", life, records, items)
		}
		closeJournal(t, j)
	}
}

// A start without an append leaves no file behind.
func TestIdleStarts(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	for range 5 {
		j, err := journal.Open(context.Background(), "/data", crashOptions(fsys, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		closeJournal(t, j)
	}
	if len(fsys.names) > 0 {
		t.Errorf("files %v", fsys.names)
	}
}

func TestGroupCommit(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	gate := &gatedFS{brokenFS: fsys, entered: make(chan struct{}), proceed: make(chan struct{})}
	o := crashOptions(fsys, 1<<20)
	o.FS = gate
	j := open(t, "/data", o)
	// One append makes the segment; the next is held in its fsync while others come.
	appendSample(t, j, 0)
	gate.closed.Store(true)
	var wg sync.WaitGroup
	send := func(i uint64) {
		wg.Go(func() { appendSample(t, j, i) })
	}
	send(1)
	<-gate.entered
	if got := readAll(t, cursor(t, j, "before the fsync", 0, false)); len(got) != 1 {
		t.Errorf("readers see %v before the fsync", got)
	}
	// A duplicate of what is being written waits for it.
	var duplicate journal.Receipt
	wg.Go(func() { duplicate = appendSample(t, j, 1) })
	const more = 20
	for i := range uint64(more) {
		send(2 + i)
	}
	for j.Stats().Waiting < more {
		// The clients' goroutines have yet to get there.
		yield()
	}
	gate.closed.Store(false)
	gate.proceed <- struct{}{}
	wg.Wait()
	if st := j.Stats(); st.Batches != 3 || st.Appended != more+2 || st.Duplicates != 1 {
		t.Errorf("%d batches for %d records, %d duplicates", st.Batches, st.Appended, st.Duplicates)
	}
	if !duplicate.Duplicate {
		t.Errorf("duplicate's receipt %+v", duplicate)
	}
}

func TestRefusedEntries(t *testing.T) {
	t.Parallel()
	long := string(bytes.Repeat([]byte("x"), 1025))
	j := open(t, "/data", crashOptions(newBrokenFS(1), 24<<10))
	for name, c := range map[string]struct {
		change func(*journal.Entry)
		want   telemetry.Kind
	}{
		"no kind":          {func(e *journal.Entry) { e.Kind = 0 }, telemetry.Invalid},
		"long door":        {func(e *journal.Entry) { e.Door = long }, telemetry.Invalid},
		"long project":     {func(e *journal.Entry) { e.Project = long }, telemetry.Invalid},
		"long tenant":      {func(e *journal.Entry) { e.Tenant = long }, telemetry.Invalid},
		"unknown encoding": {func(e *journal.Entry) { e.Encoding = 9 }, telemetry.Unsupported},
		"half the journal": {func(e *journal.Entry) { e.Body = make([]byte, 12<<10) }, telemetry.TooLarge},
	} {
		e := sample(1)
		released := 0
		e.Release = func() { released++ }
		c.change(e)
		if _, err := j.Append(t.Context(), e); telemetry.KindOf(err) != c.want || err == nil {
			t.Errorf("%s: %v", name, err)
		}
		if released != 1 {
			t.Errorf("%s: released %d times", name, released)
		}
	}
}

// An entry's bytes are given back exactly once, when the ring and all readers are done.
func TestOwnership(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 1<<20)
	o.RingBytes = 1200
	j := open(t, "/data", o)
	c := cursor(t, j, "reader", 0, false)
	given := func(i uint64) (*journal.Entry, *int) {
		e, n := &journal.Entry{Kind: journal.Traces, Body: make([]byte, 100), Hash: sample(i).Hash}, new(int)
		e.Release = func() { *n++ }
		return e, n
	}
	e, released := given(1)
	if _, err := j.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	again, duplicate := given(1)
	if r, err := j.Append(t.Context(), again); err != nil || !r.Duplicate || *duplicate != 1 {
		t.Errorf("duplicate %+v, %v: released %d times", r, err, *duplicate)
	}
	r, err := c.Next(t.Context())
	if err != nil || &r.Body[0] != &e.Body[0] {
		t.Fatalf("the reader got other bytes than were given: %v", err)
	}
	r.Retain()
	r.Release()
	for i := range uint64(3) {
		e, _ := given(2 + i)
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	// The newest is certainly published, and with it the oldest evicted.
	if *released != 0 {
		t.Errorf("released %d times while a reader has it", *released)
	}
	r.Release()
	closeJournal(t, j)
	if *released != 1 {
		t.Errorf("released %d times in the end", *released)
	}
	late, n := given(9)
	if _, err := j.Append(context.Background(), late); telemetry.KindOf(err) != telemetry.Unavailable || *n != 1 {
		t.Errorf("append after Close: %v, released %d times", err, *n)
	}
}

// What is appended without Release may be overwritten at once.
func TestAppendCopies(t *testing.T) {
	t.Parallel()
	j := open(t, "/data", crashOptions(newBrokenFS(1), 1<<20))
	e := sample(5)
	e.Body, e.Decoded = bytes.Clone(e.Body), bytes.Clone(e.Decoded)
	if _, err := j.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	clear(e.Body)
	clear(e.Decoded)
	if got := readAll(t, cursor(t, j, "reader", 0, false)); len(got) != 1 {
		t.Errorf("read %v", got)
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 1<<20)
	o.MaxDecoded = 1000
	j := open(t, "/data", o)
	c := cursor(t, j, "reader", 0, false)
	add := func(e *journal.Entry) *journal.Record {
		t.Helper()
		e.Kind = journal.Traces
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		r, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Release)
		return r
	}
	text := bytes.Repeat([]byte("abc"), 1000)
	small := add(&journal.Entry{Encoding: journal.Gzip, Body: compress.AppendGzip(nil, text[:999], 1)})
	var wg sync.WaitGroup
	var first atomic.Pointer[byte]
	for range 4 {
		wg.Go(func() {
			data, err := small.Data()
			if err != nil || !bytes.Equal(data, text[:999]) {
				t.Errorf("data of %d bytes, %v", len(data), err)
				return
			}
			if p := &data[0]; !first.CompareAndSwap(nil, p) && first.Load() != p {
				t.Error("decompressed more than once")
			}
		})
	}
	wg.Wait()
	if _, err := add(&journal.Entry{Encoding: journal.Gzip, Body: compress.AppendGzip(nil, text, 1)}).Data(); telemetry.KindOf(err) != telemetry.TooLarge {
		t.Errorf("beyond MaxDecoded: %v", err)
	}
	if _, err := add(&journal.Entry{Encoding: journal.Zstd, Body: text}).Data(); telemetry.KindOf(err) != telemetry.Invalid {
		t.Errorf("not zstd: %v", err)
	}
	told := add(&journal.Entry{Encoding: journal.Gzip, Body: compress.AppendGzip(nil, text, 1), Decoded: text})
	if data, err := told.Data(); err != nil || !bytes.Equal(data, text) {
		t.Errorf("told at the append: %d bytes, %v", len(data), err)
	}
	if data, err := add(&journal.Entry{Encoding: journal.Gzip, Body: compress.AppendGzip(nil, nil, 1)}).Data(); err != nil || len(data) != 0 {
		t.Errorf("empty: %q, %v", data, err)
	}
}

func TestNextWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := open(t, "/data", crashOptions(newBrokenFS(1), 1<<20))
		c := cursor(t, j, "reader", 0, false)
		got := make(chan uint64)
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		go func() {
			defer close(got)
			for {
				var r *journal.Record
				if r, last = c.Next(ctx); last != nil {
					return
				}
				got <- identify(t, r)
				r.Release()
			}
		}()
		for i := range uint64(5) {
			synctest.Wait()
			appendSample(t, j, i)
			if n := <-got; n != i {
				t.Errorf("got %d, want %d", n, i)
			}
		}
		cancel()
		if <-got; !errors.Is(last, context.Canceled) {
			t.Errorf("after cancel: %v", last)
		}
		other := cursor(t, j, "other", j.Durable(), false)
		done := make(chan error)
		go func() {
			_, err := other.Next(context.Background())
			done <- err
		}()
		synctest.Wait()
		closeJournal(t, j)
		if err := <-done; telemetry.KindOf(err) != telemetry.Unavailable {
			t.Errorf("after Close: %v", err)
		}
		closeJournal(t, j)
	})
}

func TestCancelledAppend(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	gate := &gatedFS{brokenFS: fsys, entered: make(chan struct{}), proceed: make(chan struct{})}
	o := crashOptions(fsys, 1<<20)
	o.FS = gate
	j := open(t, "/data", o)
	appendSample(t, j, 0)
	gate.closed.Store(true)
	var wg sync.WaitGroup
	wg.Go(func() { appendSample(t, j, 1) })
	<-gate.entered
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error)
	go func() {
		_, err := j.Append(ctx, sample(2))
		errs <- err
	}()
	for j.Stats().Waiting == 0 {
		yield()
	}
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	gate.closed.Store(false)
	gate.proceed <- struct{}{}
	wg.Wait()
	if r := appendSample(t, j, 2); r.Duplicate {
		t.Error("the hash of a withdrawn entry is remembered")
	}
}
