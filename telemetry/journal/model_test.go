package journal_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"treq/telemetry/journal"
)

// model is what a journal of which nothing expires should be: a list.
type model struct {
	order []uint64
	at    map[uint64]journal.Receipt
}

// reading is a cursor and where the model says it is.
type reading struct {
	*journal.Cursor
	next int // in model.order
}

// Any sequence of appends, duplicates, reads, restarts, kills and failing calls
// keeps the journal equal to a list.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		fsys := newBrokenFS(rapid.Uint64().Draw(rt, "seed"))
		var now atomic.Int64 // the journal's goroutine reads it too
		now.Store(1_700_000_000)
		options := func() journal.Options {
			return quiet(journal.Options{
				FS: fsys, SegmentBytes: 6 << 10, MaxBytes: 8 << 20, Reserve: -1,
				RingBytes: rapid.Int64Range(-1, 8<<10).Draw(rt, "ring"),
				Now:       func() time.Time { return time.Unix(now.Load(), 0) },
			})
		}
		j, err := journal.Open(context.Background(), "/data", options())
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		m := model{at: map[uint64]journal.Receipt{}}
		var readers []*reading
		add := func(rt *rapid.T, i uint64) bool {
			r, err := j.Append(context.Background(), sample(i))
			if err != nil {
				return false
			}
			if known, twice := m.at[i]; twice {
				if !r.Duplicate || r.Position != known.Position || r.End != known.End {
					rt.Fatalf("sample %d again: %+v, want %+v", i, r, known)
				}
			} else if r.Duplicate {
				rt.Fatalf("sample %d is called a duplicate", i)
			} else {
				m.order = append(m.order, i)
				m.at[i] = r
			}
			return true
		}
		restart := func(rt *rapid.T) {
			if j, err = journal.Open(context.Background(), "/data", options()); err != nil {
				rt.Fatal(err)
			}
			for i, r := range readers {
				c, err := j.NewCursor(string(rune('a'+i)), r.Position(), false)
				if err != nil {
					rt.Fatal(err)
				}
				r.Cursor = c
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				now.Add(rapid.Int64Range(-5, 20).Draw(rt, "seconds"))
				if !add(rt, uint64(len(m.at))) {
					rt.Fatal("append failed on a sound disk")
				}
			},
			"again": func(rt *rapid.T) {
				// The model forgets no hash: stay within the horizon of the newest.
				if n := len(m.order); n > 0 {
					add(rt, m.order[max(0, n-5+rapid.IntRange(0, 4).Draw(rt, "which"))%n])
				}
			},
			"failing append": func(rt *rapid.T) {
				fsys.failFrom(rapid.IntRange(1, 8).Draw(rt, "call"), rapid.IntRange(1, 3).Draw(rt, "calls"))
				i := uint64(len(m.at))
				for !add(rt, i) {
				}
				fsys.failFrom(0, 0)
			},
			"reader": func(rt *rapid.T) {
				if len(readers) == 5 {
					return
				}
				k := rapid.IntRange(0, len(m.order)).Draw(rt, "from")
				from := j.Durable()
				if k < len(m.order) {
					from = m.at[m.order[k]].Position
				}
				c, err := j.NewCursor(string(rune('a'+len(readers))), from, false)
				if err != nil {
					rt.Skip("the disk fails")
				}
				readers = append(readers, &reading{c, k})
			},
			"read": func(rt *rapid.T) {
				if len(readers) == 0 {
					return
				}
				c := readers[rapid.IntRange(0, len(readers)-1).Draw(rt, "reader")]
				for range rapid.IntRange(1, 12).Draw(rt, "records") {
					r, err := c.TryNext()
					if err != nil {
						return
					}
					if (r == nil) != (c.next == len(m.order)) {
						rt.Fatalf("record %v, the model has %d of %d", r, c.next, len(m.order))
					}
					if r == nil {
						return
					}
					want := m.order[c.next]
					if i := identify(t, r); i != want || r.Position != m.at[want].Position {
						rt.Fatalf("sample %d at %d, want %d at %d", i, r.Position, want, m.at[want].Position)
					}
					r.Release()
					c.next++
				}
			},
			"restart": func(rt *rapid.T) {
				_ = j.Close()
				fsys.failFrom(0, 0)
				restart(rt)
			},
			"power cut": func(rt *rapid.T) {
				percent := rapid.SampledFrom([]int{0, 30, 70, 100}).Draw(rt, "percent")
				seed := rapid.Uint64().Draw(rt, "image")
				fsys.failFrom(0, 0)
				image := fsys.image(percent, seed)
				_ = j.Close()
				fsys = image
				restart(rt)
			},
		})
	})
}
