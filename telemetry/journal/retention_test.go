package journal_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
)

// fill appends samples until n segments are sealed, and gives how many it appended.
func fill(t *testing.T, j *journal.Journal, from uint64, n int) uint64 {
	t.Helper()
	i := from
	for sealed := 0; sealed < n; i++ {
		appendSample(t, j, i)
		sealed = 0
		for _, s := range j.Segments() {
			if s.Sealed {
				sealed++
			}
		}
	}
	return i - from
}

func TestMaxBytesExpiresForLaggards(t *testing.T) {
	t.Parallel()
	const most = 24 << 10
	j := open(t, "/data", crashOptions(newBrokenFS(1), most))
	lagging := cursor(t, j, "lagging", 0, false)
	midway := cursor(t, j, "midway", 0, false)
	var read uint64
	for i := range uint64(200) {
		appendSample(t, j, i)
		if i < 3 {
			r, err := midway.TryNext()
			if err != nil {
				t.Fatal(err)
			}
			r.Release()
			read++
		}
		if st := j.Stats(); st.Bytes > most {
			t.Fatalf("%d bytes, MaxBytes %d", st.Bytes, most)
		}
	}
	for name, c := range map[string]struct {
		*journal.Cursor
		read uint64
	}{"lagging": {lagging, 0}, "midway": {midway, read}} {
		left := readAll(t, c.Cursor)
		records, items, bytes := c.Expired()
		if c.read+uint64(len(left))+records != 200 {
			t.Errorf("%s: read %d and %d, expired %d of 200", name, c.read, len(left), records)
		}
		var sent uint64
		for i := range uint64(200) {
			sent += uint64(sample(i).Items)
		}
		for i := range left {
			sent -= uint64(sample(i).Items)
		}
		for i := range c.read {
			sent -= uint64(sample(i).Items)
		}
		if items != sent || bytes == 0 {
			t.Errorf("%s: expired %d items, %d bytes; want %d items", name, items, bytes, sent)
		}
		if _, ok := left[199]; !ok {
			t.Errorf("%s: the newest is not among those left", name)
		}
	}
	if st := j.Stats(); st.ExpiredSegments == 0 || st.ExpiredUnread != st.ExpiredSegments {
		t.Errorf("%d segments expired, %d unread", st.ExpiredSegments, st.ExpiredUnread)
	}
	// A cursor from a position that is gone knows the bytes only.
	c := cursor(t, j, "restarted", 100, false)
	if records, _, bytes := c.Expired(); records != 0 || bytes != uint64(j.Segments()[0].Base)-100 {
		t.Errorf("restarted: expired %d records, %d bytes", records, bytes)
	}
}

func TestEssentialCursorHoldsTheDoors(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 24<<10)
	j := open(t, "/data", o)
	meter := cursor(t, j, "meter", 0, true)
	var i uint64
	var refused error
	for ; refused == nil && i < 1000; i++ {
		_, refused = j.Append(t.Context(), sample(i))
	}
	i--
	if e, ok := errors.AsType[*telemetry.Error](refused); !ok || e.Kind != telemetry.Unavailable || e.RetryAfter <= 0 {
		t.Fatalf("refused with %v", refused)
	}
	if st := j.Stats(); st.Refused.Room != 1 || !st.Refusing || st.ExpiredSegments != 0 {
		t.Errorf("stats %+v", st)
	}
	if got := readAll(t, meter); len(got) != int(i) {
		t.Errorf("the meter read %d of %d", len(got), i)
	}
	// Reading is not enough: what is not committed would be read again after a crash.
	if _, err := j.Append(t.Context(), sample(i)); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("before Commit: %v", err)
	}
	// Nor is a part of the oldest segment.
	meter.Commit(j.Segments()[0].End - 1)
	if _, err := j.Append(t.Context(), sample(i)); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("before the oldest segment is committed: %v", err)
	}
	meter.Commit(meter.Position())
	if r := appendSample(t, j, i); r.Duplicate {
		t.Error("the hash of a refused entry is remembered")
	}
	if st := j.Stats(); st.Refusing || st.ExpiredSegments == 0 || st.ExpiredUnread != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := crashOptions(newBrokenFS(1), 1<<20)
		o.Now = time.Now
		o.Keep, o.MaxAge = 24*time.Hour, 7*24*time.Hour
		j := open(t, "/data", o)
		n := fill(t, j, 0, 3)
		quick := cursor(t, j, "quick", 0, false)
		slow := cursor(t, j, "slow", 0, false)
		readAll(t, quick)
		quick.Commit(quick.Position())

		time.Sleep(25 * time.Hour)
		if st := j.Stats(); st.ExpiredSegments != 0 {
			t.Errorf("after a day %d segments expired that a cursor wants", st.ExpiredSegments)
		}
		// A closed reader that comes again finds what it left.
		slow.Commit(slow.Position())
		slow.Close()
		time.Sleep(time.Hour)
		slow = cursor(t, j, "slow", 0, false)
		if got := readAll(t, slow); len(got) != int(n) {
			t.Errorf("read %d of %d after a day", len(got), n)
		}
		slow.Commit(slow.Position())
		time.Sleep(time.Hour)
		if st := j.Stats(); st.ExpiredSegments < 3 || st.ExpiredUnread != 0 {
			t.Errorf("after all have passed: %+v", st)
		}

		// The positions go on although everything is gone.
		end := j.Durable()
		more := fill(t, j, n, 3)
		meter := cursor(t, j, "meter", end, true)
		slow.Close()
		time.Sleep(8 * 24 * time.Hour)
		if got := readAll(t, meter); len(got) != int(more) {
			t.Errorf("the meter read %d of %d after a week", len(got), more)
		}
		slow = cursor(t, j, "slow", end, false)
		meter.Commit(meter.Position())
		time.Sleep(time.Hour)
		if records, _, _ := slow.Expired(); records != more {
			t.Errorf("%d of %d records expired after a week", records, more)
		}
		if last := j.Segments(); len(last) != 1 || last[0].Base < end {
			t.Errorf("segments %+v, want one after %d", last, end)
		}
		closeJournal(t, j)
		j = open(t, "/data", o)
		if r := appendSample(t, j, 9999); r.Position < end {
			t.Errorf("position %d after a restart, %d was used", r.Position, end)
		}
	})
}

// A segment does not stay open for longer than a quarter of Keep.
func TestSlowTrafficSeals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := crashOptions(newBrokenFS(1), 1<<20)
		o.Now = time.Now
		j := open(t, "/data", o)
		for i := range uint64(10) {
			appendSample(t, j, i)
			time.Sleep(6*time.Hour + 2*time.Minute)
		}
		segments := j.Segments()
		if len(segments) < 9 {
			t.Errorf("%d segments for 60 hours", len(segments))
		}
		for _, s := range segments {
			if !s.Sealed || s.Last.Sub(s.First) > 7*time.Hour {
				t.Errorf("segment %+v", s)
			}
		}
	})
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	fsys.capacity = 40 << 10
	o := crashOptions(fsys, 1<<20)
	o.Reserve = 8 << 10
	j := open(t, "/data", o)
	sink := cursor(t, j, "sink", 0, false)
	var i uint64
	var refused error
	for ; refused == nil && i < 1000; i++ {
		_, refused = j.Append(t.Context(), sample(i))
	}
	i--
	if e, ok := errors.AsType[*telemetry.Error](refused); !ok || e.Kind != telemetry.Unavailable || e.RetryAfter <= 0 {
		t.Fatalf("refused with %v", refused)
	}
	if st := j.Stats(); st.Refused.Disk != 1 || !st.Refusing || st.RoomBytes > 4<<10 || st.Failures != 0 {
		t.Errorf("stats %+v", st)
	}
	// The reserve is for others, such as a sidecar.
	if err := j.PutSidecar(j.Segments()[0].Base, make([]byte, 4<<10)); err != nil {
		t.Errorf("PutSidecar: %v", err)
	}
	if got := readAll(t, sink); len(got) != int(i) {
		t.Errorf("read %d of %d", len(got), i)
	}
	// Space that comes back is enough.
	fsys.setCapacity(60 << 10)
	appendSample(t, j, i)
	if st := j.Stats(); st.Refusing || st.RoomBytes == 0 {
		t.Errorf("stats %+v", st)
	}
	// So is what every cursor has passed.
	fsys.setCapacity(40 << 10)
	sink.Commit(sink.Position())
	appendSample(t, j, i+1)
	if st := j.Stats(); st.ExpiredSegments == 0 || st.ExpiredUnread != 0 {
		t.Errorf("stats %+v", st)
	}
}

// Space runs out in the middle of a write, which no look at the free space foresaw.
func TestDiskFullInAWrite(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	o := crashOptions(fsys, 1<<20)
	o.FS = blindFS{fsys}
	j := open(t, "/data", o)
	fsys.setCapacity(20 << 10)
	acked := map[uint64]bool{}
	refused := 0
	for i := range uint64(40) {
		if i == 35 {
			fsys.setCapacity(80 << 10)
		}
		_, err := j.Append(t.Context(), sample(i))
		if acked[i] = err == nil; acked[i] {
			continue
		}
		if refused++; telemetry.KindOf(err) != telemetry.Unavailable || i >= 35 {
			t.Errorf("append %d: %v", i, err)
		}
	}
	if st := j.Stats(); refused == 0 || st.Refused.Fault != uint64(refused) || st.LastError == "" {
		t.Errorf("%d refused, stats %+v", refused, st)
	}
	got := readAll(t, cursor(t, j, "all", 0, false))
	for i, ok := range acked {
		if _, read := got[i]; read != ok {
			t.Errorf("sample %d: acknowledged %v, read %v", i, ok, read)
		}
	}
}

// blindFS does not tell how much space there is.
type blindFS struct{ *brokenFS }

func (blindFS) Space(string) (total, free int64, err error) { return 0, 1 << 40, nil }

func TestFailedFsyncEndsItsSegment(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j := open(t, "/data", crashOptions(fsys, 1<<20))
	first := appendSample(t, j, 1)
	// Space, write, fsync.
	fsys.failFrom(3, 1)
	if _, err := j.Append(t.Context(), sample(2)); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Fatalf("append whose fsync failed: %v", err)
	}
	second := appendSample(t, j, 2)
	segments := j.Segments()
	if len(segments) != 2 || !segments[0].Sealed || segments[0].End != first.End || segments[0].Records != 1 || second.Position <= segments[1].Base {
		t.Errorf("segments %+v", segments)
	}
	if st := j.Stats(); st.Failures != 1 || st.Refused.Fault != 1 || st.Appended != 2 || st.LastError == "" {
		t.Errorf("stats %+v", st)
	}
	if got := readAll(t, cursor(t, j, "all", 0, false)); len(got) != 2 || got[2] != second.Position {
		t.Errorf("read %v", got)
	}
}
