package journal

import (
	"context"
	"log/slog"
	"sync"
	"testing"
)

// coolFS notes what is forgotten.
type coolFS struct {
	FS
	mu        sync.Mutex
	forgotten [][2]int64
}

type coolFile struct {
	File
	fs *coolFS
}

func (f *coolFS) Create(name string) (File, error) {
	file, err := f.FS.Create(name)
	return &coolFile{file, f}, err
}

func (f *coolFile) Forget(from, to int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.forgotten = append(f.fs.forgotten, [2]int64{from, to})
	return nil
}

// What is forgotten is durable and behind every reader, each byte once.
func TestOnlyWhatAllHaveReadIsForgotten(t *testing.T) {
	for _, mode := range []AckMode{Fsync, Memory} {
		fs := &coolFS{FS: OS()}
		j, err := Open(context.Background(), t.TempDir(), Options{FS: fs, Ack: mode, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		quick, err1 := j.NewCursor("quick", 0, true)
		slow, err2 := j.NewCursor("slow", 0, false)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		var end Position
		grow := func(mebibytes int) {
			for range mebibytes {
				r, err := j.Append(context.Background(), &Entry{Kind: Traces, Items: 1, Body: make([]byte, 1<<20)})
				if err != nil {
					t.Fatal(err)
				}
				end = r.End
			}
			if mode == Memory {
				if err := j.flusher.flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		read := func(c *Cursor, records int) (at Position) {
			for range records {
				r, err := c.TryNext()
				if err != nil || r == nil {
					t.Fatal(r, err)
				}
				at = r.End
				r.Release()
			}
			return at
		}
		check := func(want ...[2]int64) {
			t.Helper()
			// An append is answered before the writer is done with it: it has this only then.
			j.sealing <- ^Position(0) // no segment's base
			fs.mu.Lock()
			defer fs.mu.Unlock()
			if len(fs.forgotten) != len(want) {
				t.Fatalf("mode %d: forgotten is %v, want %v", mode, fs.forgotten, want)
			}
			for i := range want {
				if fs.forgotten[i] != want[i] {
					t.Errorf("mode %d: forgotten is %v, want %v", mode, fs.forgotten, want)
				}
			}
		}
		grow(6)
		read(quick, 6)
		grow(1)
		check() // nobody slow has read it
		first := int64(read(slow, 5))
		grow(1)
		check([2]int64{0, first})
		read(quick, 2)
		read(slow, 2) // not a step yet
		grow(1)
		check([2]int64{0, first})
		slow.Close() // what is gone reads no more
		read(quick, 1)
		second := int64(end)
		grow(1)
		check([2]int64{0, first}, [2]int64{first, second})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
