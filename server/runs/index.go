package runs

import (
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

// pages is a row of pages, oldest first, that holds at most a number of them: the
// oldest goes for the newest. Not safe for concurrent use.
type pages struct {
	seed  uint64 // so that nobody outside can choose ids that collide
	slots int
	most  int
	row   []*page
	// dropped tells that a page had to go.
	dropped bool
}

// add notes the ids of a record of spans, and tells of which traces it has some.
func (s *pages) add(pos, end journal.Position, admitted time.Time, body []byte, into *groups) {
	p := s.open(pos, admitted, false)
	note := func(key uint64) {
		if !p.add(key) {
			p.end = end
			p = s.open(pos, admitted, true)
			p.add(key)
		}
	}
	var last [16]byte
	eachSpan(body, func(trace, span, run []byte, notable bool) {
		if id := [16]byte(trace); id != last {
			note(s.key(trace))
			last = id
			into.begin(id)
		}
		into.note(notable)
		note(s.key(span))
		if run != nil {
			id := understand.ParseRunID(run)
			note(s.key(id[:]))
		}
	})
	p.end = end
}

// open gives a page in which the record is begun, a fresh one if the newest is full.
func (s *pages) open(pos journal.Position, admitted time.Time, full bool) *page {
	if n := len(s.row); !full && n > 0 && s.row[n-1].begin(pos, admitted) {
		return s.row[n-1]
	}
	p := s.fresh()
	p.partial = full
	p.begin(pos, admitted)
	s.row = append(s.row, p)
	return p
}

// fresh gives an empty page: the oldest's room where there may be no more.
func (s *pages) fresh() *page {
	if len(s.row) < s.most {
		return newPage(s.slots)
	}
	p := s.row[0]
	s.row = append(s.row[:0], s.row[1:]...)
	s.dropped = true
	p.clear()
	return p
}

// key makes a table's key of an id: of 8 bytes for spans, of 16 for traces and runs.
// Different ids of one key only cost a look at a record that turns out to be another's.
func (s *pages) key(id []byte) uint64 { return max(xxh3.HashSeed(id, s.seed), 1) }

// index finds the records in which an id was met. Safe for concurrent use.
type index struct {
	mu    sync.Mutex
	pages pages
	// All records from floor, admitted at floorTime, to what is reached are indexed.
	floor     journal.Position
	floorTime time.Time
	reached   journal.Reached
}

// The number of slots of a page: one that is filled should lie in a cache near the
// processor, each costs a search a look, and some must fit into a
// small budget.
const (
	mostSlots  = 1 << 13 // below 1<<16: a page numbers its entries in two bytes
	leastSlots = 1 << 8
	leastPages = 8
)

func newIndex(budget int64, seed uint64, from journal.Position, at time.Time) *index {
	slots := mostSlots
	for slots > leastSlots && budget/pageBytes(slots) < leastPages {
		slots /= 2
	}
	x := &index{
		pages: pages{seed: seed, slots: slots, most: int(max(budget/pageBytes(slots), 2))},
		floor: from, floorTime: at,
	}
	x.reached.Advance(from)
	return x
}

// add takes the record behind those that were added before; that it is reached is told afterwards.
func (x *index) add(rec *journal.Record, body []byte, into *groups) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if rec.Kind.Spans() {
		x.pages.dropped = false
		x.pages.add(rec.Position, rec.End, rec.Admitted, body, into)
		if x.pages.dropped {
			x.floor, x.floorTime = x.pages.row[0].whole(), x.pages.row[0].first
		}
	}
}

// room gives how many pages may be added below the floor.
func (x *index) room() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return max(x.pages.most-len(x.pages.row), 0)
}

// extend adds what was read below the floor, down to a position admitted at a time.
// Nothing is added where the tail has taken the room meanwhile.
func (x *index) extend(older *pages, floor journal.Position, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	room := max(x.pages.most-len(x.pages.row), 0)
	if drop := len(older.row) - room; drop > 0 {
		older.row, older.dropped = older.row[drop:], true
	}
	if older.dropped {
		if len(older.row) == 0 {
			return
		}
		floor, at = older.row[0].whole(), older.row[0].first
	}
	x.pages.row = append(older.row, x.pages.row...)
	x.floor, x.floorTime = floor, at
}

// below gives an empty row of pages for extend.
func (x *index) below(most int) *pages {
	return &pages{seed: x.pages.seed, slots: x.pages.slots, most: most}
}

// find gives the newest positions of records in which any of the ids was met, at
// most a number of them, in no order; an id met in one record only once.
func (x *index) find(most int, ids ...[]byte) []journal.Position {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []journal.Position
	for i := len(x.pages.row) - 1; i >= 0; i-- {
		for _, id := range ids {
			found = x.pages.row[i].find(x.pages.key(id), most, found)
		}
	}
	return found
}

// reach gives from where on everything is indexed, and when that was admitted.
func (x *index) reach() (journal.Position, time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.floor, x.floorTime
}
