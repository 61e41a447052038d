package journal_test

import (
	"bytes"
	"context"
	"testing"

	"treq/telemetry/journal"
)

// FuzzRecovery: a journal whose files hold anything opens, gives only records that
// were appended, and takes more.
func FuzzRecovery(f *testing.F) {
	fsys := newBrokenFS(1)
	o := crashOptions(fsys, 1<<20)
	j, err := journal.Open(context.Background(), "/data", o)
	if err != nil {
		f.Fatal(err)
	}
	const records = 8
	for i := range uint64(records) {
		appendSample(f, j, i)
	}
	if err := j.Close(); err != nil {
		f.Fatal(err)
	}
	var first, second []byte
	for name, n := range fsys.names {
		if name == "/data/0000000000000000.seg" {
			first = bytes.Clone(n.data)
		} else {
			second = bytes.Clone(n.data)
		}
	}
	f.Add(first, second, uint16(0), byte(0))
	f.Add(first, []byte{}, uint16(100), byte(1))
	f.Add(second, first[:200], uint16(50), byte(255))
	f.Add([]byte{}, []byte("treqjrnl"), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, a, b []byte, at uint16, flip byte) {
		a = bytes.Clone(a)
		if int(at) < len(a) {
			a[at] ^= flip
		}
		fsys := loaded(map[string][]byte{"0000000000000000.seg": a, "0000000000001234.seg": b})
		j, err := journal.Open(context.Background(), "/data", crashOptions(fsys, 1<<20))
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		defer closeJournal(t, j)
		c := cursor(t, j, "all", 0, false)
		for i := range readAll(t, c) {
			if i >= records {
				t.Fatalf("sample %d was never appended", i)
			}
		}
		appendSample(t, j, 5000)
		if got := readAll(t, c); len(got) != 1 {
			t.Fatalf("read %v after an append", got)
		}
	})
}
