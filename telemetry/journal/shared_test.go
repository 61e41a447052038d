package journal_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"unsafe"

	"treq/telemetry/compress"
	"treq/telemetry/journal"
)

// large is an entry whose readers share it, near the largest size a ring should hold.
func large(i byte) *journal.Entry {
	return &journal.Entry{Kind: journal.Traces, Items: 1, Hash: [16]byte{2, i}, Body: bytes.Repeat([]byte{i}, 5<<20)}
}

func next(t *testing.T, c *journal.Cursor) *journal.Record {
	t.Helper()
	r, err := c.TryNext()
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	return r
}

// bytesOf tells where a record's bytes lie.
func bytesOf(r *journal.Record) *byte { return unsafe.SliceData(r.Body) }

func appendLarge(t *testing.T, j *journal.Journal, e *journal.Entry) journal.Receipt {
	t.Helper()
	receipt, err := j.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// Of a large record there is one copy, however many readers have it, and one that comes
// when nobody has it any more reads it anew.
func TestReadersShareALargeRecord(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 64<<20)
	o.RingBytes = -1
	j := open(t, "/data", o)
	appendLarge(t, j, large(7))
	var mu sync.Mutex
	var got []*journal.Record
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		c := cursor(t, j, name, 0, false)
		all.Go(func() {
			r, err := c.Next(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r)
		})
	}
	all.Wait()
	if len(got) != 3 {
		t.Fatal("not all have read")
	}
	first := got[0]
	for _, r := range got {
		if bytesOf(r) != bytesOf(first) || !bytes.Equal(r.Body, large(7).Body) {
			t.Error("a reader has a copy of its own")
		}
	}
	for _, r := range got {
		r.Release()
	}
	late := next(t, cursor(t, j, "late", 0, false))
	defer late.Release()
	if late == first || !bytes.Equal(late.Body, large(7).Body) {
		t.Error("a record that nobody holds is given")
	}
}

// What decompresses to much is shared as well, and decompressed once.
func TestReadersShareWhatDecompressesToMuch(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 64<<20)
	o.RingBytes = -1
	j := open(t, "/data", o)
	e := large(7)
	e.Decoded, e.Encoding = e.Body, journal.Gzip
	e.Body = compress.AppendGzip(nil, e.Decoded, 1)
	appendLarge(t, j, e)
	a, b := next(t, cursor(t, j, "a", 0, false)), next(t, cursor(t, j, "b", 0, false))
	defer a.Release()
	defer b.Release()
	one, err := a.Data()
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.Data()
	if err != nil || unsafe.SliceData(one) != unsafe.SliceData(other) || !bytes.Equal(one, e.Decoded) {
		t.Error("each has decompressed it", err)
	}
}

// A record larger than the whole ring stays in it until its readers have it, and then
// not for the next one to come.
func TestTheRingHoldsTheNewestHoweverLarge(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 64<<20)
	o.RingBytes = 3 << 20
	j := open(t, "/data", o)
	a, b := cursor(t, j, "a", 0, false), cursor(t, j, "b", 0, false)
	appendSample(t, j, 1)
	for _, c := range []*journal.Cursor{a, b} {
		next(t, c).Release()
	}
	appendLarge(t, j, large(7))
	one := next(t, a)
	if held := j.Stats().RingBytes; held < 5<<20 {
		t.Errorf("%d bytes are held for the reader that has not come yet", held)
	}
	other := next(t, b)
	if bytesOf(one) != bytesOf(other) {
		t.Error("the second reader has a copy of its own")
	}
	if held := j.Stats().RingBytes; held != 0 {
		t.Errorf("%d bytes are held for nobody", held)
	}
	one.Release()
	other.Release()

	// With one that does not read, it makes room for the next.
	appendLarge(t, j, large(8))
	next(t, a).Release()
	appendSample(t, j, 2)
	if held := j.Stats().RingBytes; held > 1<<20 {
		t.Errorf("%d bytes are held of a small record behind a large one", held)
	}
}

// A reader that still has a large record as it was before it was erased shares it with
// nobody who comes later.
func TestErasedRecordsAreNotShared(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 64<<20)
	o.RingBytes = -1
	j := open(t, "/data", o)
	receipt := appendLarge(t, j, large(7))
	before := next(t, cursor(t, j, "before", 0, false))
	defer before.Release()
	if n, err := j.Erase(t.Context(), []journal.Position{receipt.Position}, stars); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	after := next(t, cursor(t, j, "after", 0, false))
	defer after.Release()
	if !bytes.Equal(before.Body, large(7).Body) {
		t.Error("what a reader has changed under it")
	}
	if after.Body[len(after.Body)-1] != '*' {
		t.Error("what was erased is read")
	}
}
