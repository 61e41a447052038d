package journal_test

import (
	"bytes"
	"compress/gzip"
	"testing"

	"treq/telemetry/journal"
)

// A reader of some kinds passes the others by their headers: what is damaged in their
// bodies is not its matter, and its position is that of a reader of all.
func TestOnlyReadsTheBodiesOfItsKinds(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 1<<20)
	o.RingBytes = -1
	j := open(t, "/data", o)
	defer closeJournal(t, j)
	all, some := cursor(t, j, "all", 0, false), cursor(t, j, "some", 0, false)
	some.Only(func(k journal.Kind) bool { return k == journal.Logs })
	for i := range uint64(6) {
		kind := journal.Traces
		if i%3 == 1 {
			kind = journal.Logs
		}
		if _, err := j.Append(t.Context(), &journal.Entry{Kind: kind, Items: 1, Body: bytes.Repeat([]byte{byte(i)}, 40<<10), Hash: sample(i).Hash}); err != nil {
			t.Fatal(err)
		}
	}
	for {
		whole, err := all.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		part, err := some.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if all.Position() != some.Position() {
			t.Errorf("one stands at %d, the other at %d", all.Position(), some.Position())
		}
		if whole == nil || part == nil {
			break
		}
		want := whole.Body
		if whole.Kind != journal.Logs {
			want = nil
		}
		if part.Position != whole.Position || part.Items != whole.Items || !bytes.Equal(part.Body, want) {
			t.Errorf("at %d of kind %d: %d bytes, want %d", part.Position, part.Kind, len(part.Body), len(want))
		}
		whole.Release()
		part.Release()
	}
	if n, _ := some.Damaged(); n != 0 || some.Position() != j.Durable() {
		t.Errorf("%d damaged, stands at %d of %d", n, some.Position(), j.Durable())
	}
}

// waiting gives the record that waits for a reader.
func waiting(t *testing.T, c *journal.Cursor) *journal.Record {
	t.Helper()
	r, err := c.TryNext()
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	return r
}

// ringBytes is what the ring of a journal of ringed may hold.
const ringBytes = 3000

// ringed opens a journal with a small ring, and two readers.
func ringed(t *testing.T) (j *journal.Journal, near, far *journal.Cursor) {
	t.Helper()
	o := crashOptions(newBrokenFS(1), 1<<20)
	o.RingBytes = ringBytes
	j = open(t, "/data", o)
	t.Cleanup(func() { closeJournal(t, j) })
	return j, cursor(t, j, "near", 0, false), cursor(t, j, "far", 0, false)
}

// What every reader has passed takes no memory: those at the tail do not ask for it
// again, and one far behind reads the disk whatever the ring holds.
func TestTheRingHoldsWhatReadersWaitFor(t *testing.T) {
	t.Parallel()
	j, near, far := ringed(t)
	held := func() int64 { return j.Stats().RingBytes }
	add := func(i uint64) int64 {
		if _, err := j.Append(t.Context(), &journal.Entry{Kind: journal.Traces, Body: make([]byte, 400), Hash: sample(i).Hash}); err != nil {
			t.Fatal(err)
		}
		return held()
	}
	read := func(c *journal.Cursor) { waiting(t, c).Release() }
	one := add(1)
	read(near)
	if two := add(2); two != 2*one {
		t.Errorf("%d bytes are held of two records for one who has read none, want %d", two, 2*one)
	}
	read(near)
	read(far)
	read(far)
	if three := add(3); three != one {
		t.Errorf("%d bytes are held of three records of which two are passed, want %d", three, one)
	}
	for i := range uint64(20) {
		read(near)
		add(4 + i)
	}
	if n := held(); n != one {
		t.Errorf("%d bytes are held for a reader that is further behind than the ring may hold", n)
	}
	for range 21 {
		read(far)
	}
}

// Of small records the ring holds less than of large ones: a few are enough for a reader
// that is near.
func TestTheRingHoldsAFewRecords(t *testing.T) {
	t.Parallel()
	for _, want := range []struct{ size, most int64 }{{256 << 10, 8 << 20}, {2 << 20, 17 << 20}, {4 << 20, 24 << 20}} {
		o := crashOptions(newBrokenFS(1), 64<<20)
		o.RingBytes = 24 << 20
		j := open(t, "/data", o)
		cursor(t, j, "near", 0, false)
		var held int64
		for i := range uint64(60 << 20 / want.size) {
			e := &journal.Entry{Kind: journal.Traces, Body: make([]byte, want.size), Hash: sample(i).Hash}
			if _, err := j.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			held = max(held, j.Stats().RingBytes)
		}
		if held > want.most || held < want.most/2 {
			t.Errorf("of records of %d bytes %d are held, want up to %d", want.size, held, want.most)
		}
		closeJournal(t, j)
	}
}

// A record is decompressed by the first reader who asks, also while the ring lets it
// go: what the ring counts for it stays what it was.
func TestTheRingCountsNoReadersBytes(t *testing.T) {
	t.Parallel()
	j, near, far := ringed(t)
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	if _, err := w.Write(make([]byte, 4000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var most int64
	for i := range uint64(100) {
		e := &journal.Entry{Kind: journal.Traces, Encoding: journal.Gzip, Body: body.Bytes(), Hash: sample(i).Hash}
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		r := waiting(t, near)
		if data, err := r.Data(); err != nil || len(data) != 4000 {
			t.Errorf("%d bytes, %v", len(data), err)
		}
		r.Release()
		held := j.Stats().RingBytes
		if most = max(most, held); held <= 0 || held > ringBytes {
			t.Fatalf("after %d records the ring holds %d bytes, %d at most", i, held, ringBytes)
		}
	}
	if most < ringBytes/2 {
		t.Errorf("the ring held %d bytes of %d", most, ringBytes)
	}
	for range 100 {
		waiting(t, far).Release()
	}
}
