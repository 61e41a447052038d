package runs

import (
	"time"

	"treq/telemetry/journal"
)

// page is a piece of the index: the ids met in a stretch of the journal. It has a
// fixed size and holds no pointers but its own slices, so that many of them cost
// the garbage collector nothing.
type page struct {
	from, end   journal.Position // the stretch: the first record's, and behind the last
	first, last time.Time        // when those were admitted

	// keys is an open-addressed table of ids, 0 for a free slot; heads gives each
	// key's newest entry.
	keys    []uint64
	heads   []uint32
	used    int
	entries []entry
	// records are the positions that entries number.
	records []journal.Position
	// partial tells that the first record's other ids are in the page before.
	partial bool
}

// whole gives the position from which on the page and those behind it have
// every id.
func (p *page) whole() journal.Position {
	switch {
	case !p.partial:
		return p.from
	case len(p.records) > 1:
		return p.records[1]
	}
	return p.end
}

// entry says that an id was met in a record; next is the same id's entry before,
// one more than its number, 0 if there is none.
type entry struct{ record, next uint32 }

// The shape of a page follows from its slots: three quarters of them may be taken.
const (
	slotBytes  = 8 + 4 + 8 // a key, a head, an entry
	recordsPer = 4         // slots per record
	recordSize = 8
)

func pageBytes(slots int) int64 {
	return int64(slots)*slotBytes + int64(slots/recordsPer)*recordSize
}

func newPage(slots int) *page {
	return &page{
		keys: make([]uint64, slots), heads: make([]uint32, slots),
		entries: make([]entry, 0, slots),
		records: make([]journal.Position, 0, slots/recordsPer),
	}
}

// clear makes it as it was new.
func (p *page) clear() {
	clear(p.keys)
	clear(p.heads)
	*p = page{keys: p.keys, heads: p.heads, entries: p.entries[:0], records: p.records[:0]}
}

// begin notes a record whose ids follow; false if the page has no room for it.
func (p *page) begin(pos journal.Position, admitted time.Time) bool {
	if len(p.records) == cap(p.records) || !p.room() {
		return false
	}
	if len(p.records) == 0 {
		p.from, p.first = pos, admitted
	}
	p.records = append(p.records, pos)
	p.last = admitted
	return true
}

func (p *page) room() bool {
	return len(p.entries) < cap(p.entries) && p.used < len(p.keys)/4*3
}

// add notes an id in the record begun last; false if the page has no room for it.
func (p *page) add(key uint64) bool {
	record := uint32(len(p.records) - 1)
	i := p.slot(key)
	if p.keys[i] == key && p.entries[p.heads[i]-1].record == record {
		return true
	}
	if !p.room() {
		return false
	}
	if p.keys[i] == 0 {
		p.keys[i] = key
		p.used++
	}
	p.entries = append(p.entries, entry{record, p.heads[i]})
	p.heads[i] = uint32(len(p.entries))
	return true
}

// slot gives the key's slot, or the free one where it belongs.
func (p *page) slot(key uint64) int {
	mask := len(p.keys) - 1
	i := int(key) & mask
	for p.keys[i] != 0 && p.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// find appends the positions of the records in which an id was met, newest first,
// until there are most of them.
func (p *page) find(key uint64, most int, into []journal.Position) []journal.Position {
	for e := p.heads[p.slot(key)]; e != 0 && len(into) < most; {
		entry := p.entries[e-1]
		into = append(into, p.records[entry.record])
		e = entry.next
	}
	return into
}
