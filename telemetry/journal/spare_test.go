package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"syscall"
	"testing"
	"time"

	"treq/telemetry/journal"
)

// spareOptions are those of a journal that makes a spare whenever it has none.
func spareOptions(fsys *brokenFS) journal.Options {
	o := crashOptions(fsys, 64<<10)
	o.Prepare, o.Now = 1<<40, new(tickingClock).now
	return o
}

// preparedJournal opens a journal and appends samples until its active segment is
// one that was prepared and has some of them. It gives how many it appended.
func preparedJournal(t *testing.T, fsys *brokenFS) (*journal.Journal, uint64) {
	t.Helper()
	j := open(t, "/data", spareOptions(fsys))
	return j, untilPrepared(t, j, fsys, 0)
}

func untilPrepared(t *testing.T, j *journal.Journal, fsys *brokenFS, i uint64) uint64 {
	t.Helper()
	for ; ; i++ {
		segments := j.Segments()
		if n := len(segments); n > 0 && !segments[n-1].Sealed && segments[n-1].Records > 1 &&
			preparedLength(fsys.content(newest(t, fsys))) > 0 {
			return i
		}
		if i > 200 {
			t.Fatal("no segment was prepared")
		}
		appendSample(t, j, i)
		journal.AwaitSpare(j)
	}
}

// preparedLength is what a segment's header says about its file.
func preparedLength(file []byte) int { return int(binary.LittleEndian.Uint64(file[80:])) }

// newest names the file of the newest segment.
func newest(t *testing.T, fsys *brokenFS) string {
	t.Helper()
	names, err := fsys.ReadDir("/data")
	if err != nil {
		t.Fatal(err)
	}
	name := ""
	for _, n := range names {
		if strings.HasSuffix(n, ".seg") {
			name = n
		}
	}
	return name
}

// content is what a file in /data holds as the process sees it.
func (b *brokenFS) content(name string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.names["/data/"+name]; n != nil {
		return bytes.Clone(n.data)
	}
	return nil
}

// plant writes into a file as a disk would that did so before a power cut.
func (b *brokenFS) plant(name string, p []byte, off int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.names["/data/"+name]
	n.write(p, off)
	n.flush()
}

// sizes is what all segments and spares take.
func (b *brokenFS) sizes() (total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, n := range b.names {
		if strings.HasSuffix(name, ".seg") || strings.HasSuffix(name, ".tmp") {
			total += int64(len(n.data))
		}
	}
	return total
}

// A killed process leaves zeros behind the records. They are no damage and no torn
// tail, positions go on behind the records, and the next segment has them cut off.
func TestZerosOfAKilledProcess(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j, n := preparedJournal(t, fsys)
	end := j.Durable()
	if st := j.Stats(); st.Bytes != fsys.sizes() {
		t.Errorf("tells %d bytes of %d", st.Bytes, fsys.sizes())
	}
	name := newest(t, fsys)
	after := fsys.image(100, 1)
	if len(after.content(name)) != preparedLength(after.content(name)) {
		t.Fatalf("%d bytes are left of %d", len(after.content(name)), preparedLength(after.content(name)))
	}

	again := open(t, "/data", spareOptions(after))
	st := again.Stats()
	if st.TornBytes != 0 || st.Damaged != 0 || st.Bytes != after.sizes() || again.Durable() != end {
		t.Errorf("%d torn bytes, %d damages, tells %d bytes of %d, end %d, before %d",
			st.TornBytes, st.Damaged, st.Bytes, after.sizes(), again.Durable(), end)
	}
	if after.content(journal.SpareName) != nil {
		t.Error("the spare of the killed process stays")
	}
	r := appendSample(t, again, n)
	journal.AwaitSpare(again)
	if r.Position-end > 2*96 {
		t.Errorf("goes on at %d after %d", r.Position, end)
	}
	if got, want := len(after.content(name)), int(end-again.Segments()[len(again.Segments())-2].Base); got != want {
		t.Errorf("%s has %d bytes, of them %d of records", name, got, want)
	}
	if st := again.Stats(); st.Bytes != after.sizes() {
		t.Errorf("tells %d bytes of %d after a segment was cut", st.Bytes, after.sizes())
	}
	if got := readAll(t, cursor(t, again, "all", 0, false)); uint64(len(got)) != n+1 {
		t.Errorf("reads %d of %d", len(got), n+1)
	}
}

// What stands behind the last record and is not zero is a torn tail, as it is
// without a spare: also frames of an earlier life of the file, which are valid but
// for the life they are of, at the very positions where records would be next.
func TestTornTailBeforeZeros(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j, n := preparedJournal(t, fsys)
	name := newest(t, fsys)
	segments := j.Segments()
	s := segments[len(segments)-1]
	frames := fsys.content(name)[96 : s.End-s.Base]
	for _, tail := range []struct {
		what  string
		bytes []byte
	}{
		{"the first bytes of a record", frames[:50]},
		{"bytes without the first", append(make([]byte, 40), frames[40:60]...)},
		{"frames of other positions", frames},
		{"frames of another life at these positions", anotherLife(frames, s.End)},
	} {
		after := fsys.image(100, 1)
		after.plant(name, tail.bytes, int(s.End-s.Base))
		torn := int64(len(bytes.TrimRight(tail.bytes, "\x00")))
		again := open(t, "/data", spareOptions(after))
		if st := again.Stats(); st.TornBytes != torn || st.Damaged != 0 || again.Durable() != s.End {
			t.Errorf("%s: %d torn bytes, want %d; %d damages; end %d, want %d", tail.what, st.TornBytes, torn,
				st.Damaged, again.Durable(), s.End)
		}
		appendSample(t, again, n)
		if got := readAll(t, cursor(t, again, "all", 0, false)); uint64(len(got)) != n+1 {
			t.Errorf("%s: reads %d of %d", tail.what, len(got), n+1)
		}
		closeJournal(t, again)
	}
}

// anotherLife gives frames as a segment of the same positions but another salt would
// hold them at a position.
func anotherLife(frames []byte, at journal.Position) []byte {
	out := bytes.Clone(frames)
	for off := 0; off < len(out); {
		length := int(binary.LittleEndian.Uint32(out[off+8:]))
		journal.RewriteFrame(out[off:off+length], at+journal.Position(off), 12345)
		off += length
	}
	return out
}

// A record may end in zeros, and is whole before those of a spare.
func TestRecordThatEndsInZeros(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j, n := preparedJournal(t, fsys)
	before := j.Durable()
	e := &journal.Entry{Kind: journal.Traces, Door: "http", Body: make([]byte, 700)}
	r, err := j.Append(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, "/data", spareOptions(fsys.image(100, 1)))
	c := cursor(t, again, "all", before, false)
	rec, err := c.TryNext()
	if err != nil || rec == nil || rec.Position != r.Position || !bytes.Equal(rec.Body, e.Body) {
		t.Fatalf("reads %+v, %v; want the record at %d", rec, err, r.Position)
	}
	rec.Release()
	if next := appendSample(t, again, n); next.Position < r.End {
		t.Errorf("goes on at %d within the record that ends at %d", next.Position, r.End)
	}
}

// A stop leaves no spare and no zeros.
func TestStopCutsWhatWasPrepared(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j, _ := preparedJournal(t, fsys)
	end := j.Durable()
	name := newest(t, fsys)
	segments := j.Segments()
	closeJournal(t, j)
	if fsys.content(journal.SpareName) != nil {
		t.Error("the spare stays")
	}
	if got, want := len(fsys.content(name)), int(end-segments[len(segments)-1].Base); got != want {
		t.Errorf("%d bytes of %d stay", got, want)
	}
}

// A journal never holds more than its bound, spares and zeros with it, and nobody
// loses by them what is not lost without: what is ready goes before what is unread.
func TestSparesWithinTheBound(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	fsys := newBrokenFS(1)
	j := open(t, "/data", spareOptions(fsys))
	slow := cursor(t, j, "slow", 0, true)
	seen := false
	var i uint64
	for ; ; i++ {
		if _, err := j.Append(context.Background(), sample(i)); err != nil {
			break
		}
		seen = journal.AwaitSpare(j) || seen
		if st := j.Stats(); st.Bytes > most || st.Bytes != fsys.sizes() {
			t.Fatalf("tells %d bytes of %d, bound %d", st.Bytes, fsys.sizes(), most)
		}
	}
	if st := j.Stats(); !seen || st.ExpiredSegments != 0 || fsys.content(journal.SpareName) != nil || st.Bytes < most-4<<10 {
		t.Errorf("spare seen %v; %d segments expired unread; %d of %d bytes when refused", seen, st.ExpiredSegments, st.Bytes, most)
	}
	for _, at := range readAll(t, slow) {
		slow.Commit(at)
	}
	slow.Commit(slow.Position())
	// Then what was read makes room for spares too.
	seen = false
	for n := range uint64(200) {
		appendSample(t, j, i+1+n)
		seen = journal.AwaitSpare(j) || seen
		if st := j.Stats(); st.Bytes > most || st.Bytes != fsys.sizes() {
			t.Fatalf("tells %d bytes of %d, bound %d", st.Bytes, fsys.sizes(), most)
		}
		for range readAll(t, slow) {
			slow.Commit(slow.Position())
		}
	}
	if st := j.Stats(); !seen || st.ExpiredSegments == 0 || st.ExpiredUnread != 0 {
		t.Errorf("spare seen %v; %d segments expired, %d of them unread", seen, st.ExpiredSegments, st.ExpiredUnread)
	}
}

// On a full disk the room that was prepared is still written to, and no more.
func TestFullDiskTakesWhatWasPrepared(t *testing.T) {
	t.Parallel()
	fsys := newBrokenFS(1)
	j, n := preparedJournal(t, fsys)
	name := newest(t, fsys)
	end := j.Segments()[len(j.Segments())-1].Base + journal.Position(preparedLength(fsys.content(name)))
	fsys.mu.Lock()
	used := fsys.used()
	fsys.mu.Unlock()
	fsys.setCapacity(used)
	took := 0
	for ; ; n++ {
		r, err := j.Append(context.Background(), sample(n))
		if err != nil {
			break
		}
		took++
		if r.End > end {
			end = r.End // of the next segment, in place of the spare
		}
		if took > 100 {
			t.Fatal("a full disk takes everything")
		}
	}
	if took == 0 {
		t.Error("a full disk takes nothing although there is room")
	}
	if st := j.Stats(); st.Failures != 0 || st.Refused.Disk == 0 {
		t.Errorf("%d failures, %d refused for the disk", st.Failures, st.Refused.Disk)
	}
	fsys.setCapacity(0)
	appendSample(t, j, n+1)
}

// Spares are made neither in a small journal, nor where a power cut costs a second
// anyway, nor where more comes than they are for, nor when nobody wants them.
func TestNoSpares(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*journal.Options){
		"small":       func(o *journal.Options) { o.MaxBytes = 63 << 10 },
		"memory":      func(o *journal.Options) { o.Ack = journal.Memory },
		"fast":        func(o *journal.Options) { o.Prepare = 1 },
		"not wanted":  func(o *journal.Options) { o.Prepare = -1 },
		"no one came": func(o *journal.Options) { now := o.Now(); o.Now = func() time.Time { return now } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := spareOptions(newBrokenFS(1))
			change(&o)
			j := open(t, "/data", o)
			for i := range uint64(40) {
				appendSample(t, j, i)
				if journal.AwaitSpare(j) {
					t.Fatal("there is a spare")
				}
			}
		})
	}
}

// A file that cannot be prepared, or only with an error, is none: appends go on.
func TestFileThatCannotBePrepared(t *testing.T) {
	t.Parallel()
	fsys := &plainFS{brokenFS: newBrokenFS(1)}
	o := spareOptions(fsys.brokenFS)
	o.FS = fsys
	j := open(t, "/data", o)
	for i := range uint64(40) {
		appendSample(t, j, i)
		if journal.AwaitSpare(j) {
			t.Fatal("there is a spare")
		}
	}
	journal.AwaitSpare(j)
	if fsys.spares != 1 {
		t.Errorf("asked %d times for what the file system does not offer", fsys.spares)
	}
	if st := j.Stats(); st.LastError != "" || st.Bytes != fsys.sizes() {
		t.Errorf("tells %q, %d bytes of %d", st.LastError, st.Bytes, fsys.sizes())
	}
}

// plainFS has files that cannot be prepared.
type plainFS struct {
	*brokenFS
	spares int // created, by the one goroutine that makes them
}

func (p *plainFS) Create(name string) (journal.File, error) {
	if strings.HasSuffix(name, journal.SpareName) {
		p.spares++
	}
	f, err := p.brokenFS.Create(name)
	return struct{ journal.File }{f}, err
}

// Reserve and Blank make it a file that can be prepared.
func (f *brokenFile) Reserve(size int64) error {
	return f.fs.call(func() error {
		if c := f.fs.capacity; c > 0 && f.fs.used()+int(size)-len(f.n.data) > c {
			return syscall.ENOSPC
		}
		f.n.write(make([]byte, size), 0)
		return nil
	})
}

func (f *brokenFile) Blank(from, to int64) error {
	return f.fs.call(func() error {
		f.n.write(make([]byte, to-from), int(from))
		return nil
	})
}
