package journal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// written writes pieces one call after the other and checks that they stand there,
// for readers of this process and, after Sync, for any other.
func written(t *testing.T, f *osFile, pieces ...[]byte) {
	t.Helper()
	var all []byte
	for _, piece := range pieces {
		cut := len(piece) / 3
		if err := f.WriteVec([][]byte{piece[:cut], piece[cut:]}, int64(len(all))); err != nil {
			t.Fatal(err)
		}
		all = append(all, piece...)
		if got, err := readAll(f); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("%d bytes of %d stand there, or others (%v)", len(got), len(all), err)
		}
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, all) {
		t.Fatalf("%d bytes of %d stand there after a sync, or others (%v)", len(got), len(all), err)
	}
}

func pieces(sizes ...int) [][]byte {
	rng := rand.NewChaCha8([32]byte{1})
	out := make([][]byte, len(sizes))
	for i, size := range sizes {
		out[i] = make([]byte, size)
		// It never fails.
		_, _ = rng.Read(out[i])
	}
	return out
}

func created(t *testing.T) *osFile {
	t.Helper()
	f, err := OS().Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f.(*osFile)
}

// Small and large writes follow each other in one file, whatever way each takes: the
// last block of one is the first of the next.
func TestDirectAndCachedWritesJoin(t *testing.T) {
	f := created(t)
	written(t, f, pieces(96, directFrom, 1, directFrom-1, directFrom+1, 5000, 3*directWindow+17, 4096, 2*directFrom)...)
	if f.direct.file == nil && !f.direct.off {
		t.Error("no write went the direct way or tried to")
	}
}

// A file system that takes a file for direct writes, and then not its data, gets it
// through the page cache, and is not asked again.
func TestRefusedDirectWritesGoThroughTheCache(t *testing.T) {
	f := created(t)
	defer directRefused.Store(directRefused.Load())
	reading, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	f.direct.file = reading // which takes no data
	written(t, f, pieces(96, 3*directFrom, 2*directWindow+5)...)
	if !directRefused.Load() {
		t.Error("it is asked again")
	}
}
