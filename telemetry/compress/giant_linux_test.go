package compress

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// resident gives the bytes of memory that the process has, other than of files.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, rest, _ := strings.Cut(line, ":"); name == "RssAnon" {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no RssAnon")
	return 0
}

// What is larger than the pool's largest buffers costs what was written to it, while
// somebody has it, and makes no garbage.
func TestGiantsCostWhatTheyHold(t *testing.T) {
	const size, little = 64 << 20, 16 << 20
	// Memory that earlier tests have done with goes back to the system by and by: it has
	// gone before anything is measured, and nothing follows it.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	debug.FreeOSMemory()
	text := bytes.Repeat([]byte("x"), 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := resident(t)
	for range 20 {
		b := NewBuffer(size)
		if len(b.B) != 0 || cap(b.B) < size {
			t.Fatalf("a buffer of %d bytes with room for %d", len(b.B), cap(b.B))
		}
		if took := resident(t) - began; took > little {
			t.Fatalf("room that nobody wrote to takes %d bytes", took)
		}
		b.Retain()
		b.B = append(b.B, text...)
		b.B = b.B[:size]
		for at := 0; at < size; at += 4 << 10 {
			b.B[at] = 1
		}
		if took := resident(t) - began; took < size-little {
			t.Fatalf("%d bytes written take %d", size, took)
		}
		b.Release()
		b.B[size-1] = 2 // there is an owner
		b.Release()
		if took := resident(t) - began; took > little {
			t.Fatalf("released, it takes %d bytes", took)
		}
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > size {
		t.Errorf("%d bytes of the heap were used", made)
	}
}
