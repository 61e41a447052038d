package runs

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"treq/telemetry/journal"
)

// stored is a record as the index was told it.
type stored struct {
	pos   journal.Position
	spans []uint64
}

func (s *stored) body() []byte {
	var list [][]byte
	for _, n := range s.spans {
		list = append(list, body(llm(n/4, n, 0)))
	}
	return slices.Concat(list...)
}

// From its floor on an index knows every record of every id, however small it is,
// whatever the records are, and whether they came at the tail or from below.
func TestIndexKnowsAllFromItsFloorOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 6), rapid.IntRange(100, 300)), 1, 60).Draw(t, "sizes")
		before := rapid.IntRange(0, len(sizes)).Draw(t, "before the start")
		pages := rapid.Int64Range(2, 12).Draw(t, "pages")
		ids := rapid.Uint64Range(1, 2000)
		var records []stored
		for i, n := range sizes {
			records = append(records, stored{journal.Position(10 * (i + 1)), rapid.SliceOfN(ids, n, n).Draw(t, "spans")})
		}
		at := func(pos journal.Position) time.Time { return time.Unix(int64(pos), 0) }

		start := journal.Position(10*before + 10)
		x := newIndex(pages*pageBytes(leastSlots), 7, start, at(start))
		for _, s := range records[before:] {
			x.add(&journal.Record{Kind: journal.Traces, Position: s.pos, End: s.pos + 10, Admitted: at(s.pos)}, s.body(), new(groups))
		}
		if room := x.room(); room > 0 {
			older := x.below(room)
			for _, s := range records[:before] {
				older.add(s.pos, s.pos+10, at(s.pos), s.body(), new(groups))
			}
			x.extend(older, 0, at(0))
		}
		if int64(len(x.pages.row)) > max(pages, 2) {
			t.Fatalf("%d pages; want at most %d", len(x.pages.row), pages)
		}

		floor, _ := x.reach()
		want := map[uint64][]journal.Position{}
		for _, s := range records {
			for _, n := range s.spans {
				if l := want[n]; s.pos >= floor && (len(l) == 0 || l[len(l)-1] != s.pos) {
					want[n] = append(want[n], s.pos)
				}
			}
		}
		for n, positions := range want {
			id := spanID(n)
			got := x.find(mostRecords, id[:])
			slices.Sort(got)
			for _, pos := range positions {
				if !slices.Contains(got, pos) {
					t.Fatalf("span %d: %v lacks %d; the floor is %d", n, got, pos, floor)
				}
			}
			// A record that began in one page and ended in another may be told by both.
			if n := len(got) - len(slices.Compact(got)); n > len(x.pages.row) {
				t.Fatalf("span %d: %d positions twice", n, n)
			}
		}
	})
}

// One id in every record fills no table and costs no walk through one.
func TestOneTraceInEveryRecord(t *testing.T) {
	x := newIndex(4*pageBytes(leastSlots), 7, 0, time.Time{})
	for i := range uint64(5000) {
		s := stored{journal.Position(i), nil}
		b := body(llm(1, i, 0))
		x.add(&journal.Record{Kind: journal.Traces, Position: s.pos, End: s.pos + 1}, b, new(groups))
	}
	id := traceID(1)
	got := x.find(50, id[:])
	slices.Sort(got)
	for i, pos := range got {
		if want := journal.Position(5000 - 50 + i); pos != want {
			t.Fatalf("%d is found at place %d; want %d", pos, i, want)
		}
	}
	var none [8]byte
	binary.BigEndian.PutUint64(none[:], 1<<60)
	if got := x.find(50, none[:]); len(got) != 0 {
		t.Errorf("an id nobody has: %v", got)
	}
}

// Two ids that a page cannot tell apart are both found, where either was met.
func TestIdsOfOneTag(t *testing.T) {
	p := newPage(leastSlots)
	const one, other = 7<<32 | 3, 7<<32 | leastSlots | 3
	for pos, key := range []uint64{one, other, 8<<32 | 3} {
		p.begin(journal.Position(pos+1), time.Time{})
		p.add(key)
	}
	for _, key := range []uint64{one, other} {
		if got, want := p.find(key, 9, nil), []journal.Position{2, 1}; !slices.Equal(got, want) {
			t.Errorf("%x: %v, want %v", key, got, want)
		}
	}
	if got := p.find(8<<32|3, 9, nil); !slices.Equal(got, []journal.Position{3}) {
		t.Errorf("the third: %v", got)
	}
}
