package journal

import (
	"bytes"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// However the kernel is asked to write, in the file stands what was given.
func TestWriteVecWritesAllOfIt(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(
			rapid.IntRange(0, 300), rapid.IntRange(maxWrite-2, maxWrite+2), rapid.Just(3*maxWrite),
		), 0, 6).Draw(t, "sizes")
		if rapid.IntRange(0, 9).Draw(t, "many") == 0 {
			sizes = append(sizes, make([]int, maxVec+3)...)
			for i := range sizes {
				sizes[i] = max(sizes[i], 1)
			}
		}
		offset := rapid.Int64Range(0, 9000).Draw(t, "offset")
		want := make([]byte, offset)
		var bufs, given [][]byte
		for i, size := range sizes {
			b := bytes.Repeat([]byte{byte(i + 1)}, size)
			bufs, given = append(bufs, b), append(given, b)
			want = append(want, b...)
		}
		f, err := OS().Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.WriteVec(bufs, offset); err != nil {
			t.Fatal(err)
		}
		for i := range given {
			if len(bufs[i]) != len(given[i]) {
				t.Fatalf("buffer %d has %d bytes now, had %d", i, len(bufs[i]), len(given[i]))
			}
		}
		if len(want) == int(offset) {
			want = nil
		}
		got, err := readAll(f)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes in the file, %d were written (%v)", len(got), len(want), err)
		}
	})
}
