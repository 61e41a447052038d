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

	// tags is an open-addressed table of ids, by the upper half of their keys, 0 for a
	// free slot: the lower half has chosen the slot. heads gives each id's newest entry,
	// one more than its number.
	tags    []uint32
	heads   []uint16
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
type entry struct{ record, next uint16 }

// The shape of a page follows from its slots: three quarters of them may be taken.
const (
	slotBytes  = 4 + 2 + 4 // a tag, a head, an entry
	recordsPer = 4         // slots per record
	recordSize = 8
)

func pageBytes(slots int) int64 {
	return int64(slots)*slotBytes + int64(slots/recordsPer)*recordSize
}

// newPage makes an empty page of at most mostSlots.
func newPage(slots int) *page {
	return &page{
		tags: make([]uint32, slots), heads: make([]uint16, slots),
		entries: make([]entry, 0, slots),
		records: make([]journal.Position, 0, slots/recordsPer),
	}
}

// clear makes it as it was new.
func (p *page) clear() {
	clear(p.tags)
	clear(p.heads)
	*p = page{tags: p.tags, heads: p.heads, entries: p.entries[:0], records: p.records[:0]}
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
	return len(p.entries) < cap(p.entries) && p.used < len(p.tags)/4*3
}

// add notes an id in the record begun last; false if the page has no room for it.
func (p *page) add(key uint64) bool {
	record := uint16(len(p.records) - 1)
	i := p.slot(key)
	if p.tags[i] != 0 && p.entries[p.heads[i]-1].record == record {
		return true
	}
	if !p.room() {
		return false
	}
	if p.tags[i] == 0 {
		p.tags[i] = tagOf(key)
		p.used++
	}
	p.entries = append(p.entries, entry{record, p.heads[i]})
	p.heads[i] = uint16(len(p.entries))
	return true
}

// tagOf gives what a table holds of a key. Two ids of one tag whose slots are near each
// other are one id to a page: a look at a record too many, once in millions.
func tagOf(key uint64) uint32 { return max(uint32(key>>32), 1) }

// slot gives the key's slot, or the free one where it belongs.
func (p *page) slot(key uint64) int {
	tag, mask := tagOf(key), len(p.tags)-1
	i := int(key) & mask
	for p.tags[i] != 0 && p.tags[i] != tag {
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
