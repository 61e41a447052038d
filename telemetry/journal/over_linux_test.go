package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
)

// preparedFile gives a file of zeros, size bytes long, and skips nothing: where the
// file system of the tests would not be prepared its files are written all the same.
func preparedFile(t *testing.T, size int64) *osFile {
	t.Helper()
	f := created(t)
	err := f.Reserve(size)
	if errors.Is(err, errors.ErrUnsupported) {
		err = f.Truncate(size)
		if f.direct.open(f.File) {
			f.direct.prepared = size
		}
	}
	if err == nil && f.direct.prepared > 0 {
		err = f.Blank(0, size)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Writes of every size join within what was prepared, over its end and behind it;
// what is behind them are zeros.
func TestWritesOverWhatWasPreparedJoin(t *testing.T) {
	const size = 3 * directWindow
	f := preparedFile(t, size)
	rng := rand.New(rand.NewPCG(1, 2))
	var want []byte
	for _, piece := range pieces(96, 1, 4095, 4096, 1, 5000, 70000, 4000, directWindow, directWindow+1, 300, directFrom, 900000, 17, 5000) {
		cut := rng.IntN(len(piece) + 1)
		if err := f.WriteVec([][]byte{piece[:cut], piece[cut:]}, int64(len(want))); err != nil {
			t.Fatal(err)
		}
		want = append(want, piece...)
		got, err := readAll(f)
		if err != nil || len(got) < size || !bytes.Equal(got[:len(want)], want) {
			t.Fatalf("after %d bytes others stand there (%v)", len(want), err)
		}
		if behind := got[len(want):]; len(bytes.TrimRight(behind, "\x00")) > 0 {
			t.Fatalf("behind %d bytes stand others than zeros", len(want))
		}
	}
	if len(want) <= size {
		t.Fatalf("%d bytes don't pass the end", len(want))
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d stand there after a sync, or others (%v)", len(got), len(want), err)
	}
}

// What direct writes refuse the page cache takes, in the middle of a block too.
func TestRefusedWritesOverGoThroughTheCache(t *testing.T) {
	f := preparedFile(t, 2*directWindow)
	defer directRefused.Store(directRefused.Load())
	all := pieces(5000, 100, 3000)
	if err := f.WriteVec(all[:1], 0); err != nil {
		t.Fatal(err)
	}
	reading, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.direct.close(); err != nil {
		t.Fatal(err)
	}
	f.direct.file = reading // which takes no data
	if err := f.WriteVec(all[1:2], 5000); err != nil {
		t.Fatal(err)
	}
	if !directRefused.Load() && f.direct.prepared > 0 {
		t.Error("it is asked again")
	}
	if err := f.WriteVec(all[2:], 5100); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(f)
	if want := bytes.Join(all, nil); err != nil || !bytes.Equal(got[:len(want)], want) {
		t.Fatalf("others stand there (%v)", err)
	}
}
