package journal

import (
	"sort"

	"treq/telemetry/compress"
)

const (
	// recordCost is what a record takes in memory beside its bytes.
	recordCost = 512
	// ringRecords is how many records of the newest one's size the ring holds, and
	// leastRing what it holds of small ones: a reader that is near is behind by a few
	// commits, and one that is slower, as a sink whose answers take long, reads what is in
	// the page cache as well.
	ringRecords = 8
	leastRing   = 8 << 20
)

// ring holds the newest records for readers at the tail. It is guarded by
// Journal.mu. It owns one reference of each record it holds.
type ring struct {
	most    int64 // bytes; see room
	bytes   int64
	holds   int64     // the room for the newest record
	records []*Record // oldest first, from next on
	next    int
	// start is where the ring begins: it holds every durable record at or after it.
	start Position
}

// cost is what a record that nobody reads yet takes: a reader may decompress it at any
// time later, which is not the ring's to hold.
func cost(r *Record) int64 { return held(r.Body) + held(r.decoded) + recordCost }

// held gives what memory a slice of a buffer holds: all of one that is used again,
// of a larger one what was written.
func held(b []byte) int64 {
	if cap(b) > compress.Pooled {
		return int64(len(b))
	}
	return int64(cap(b))
}

// push adds a record and appends to evicted those that have to make room; the
// caller releases them. The newest stays, even if it is larger than all that the ring
// may hold: each of its readers would have to make a copy of its own.
func (g *ring) push(r *Record, evicted []*Record) []*Record {
	r.cost = cost(r)
	g.records = append(g.records, r)
	g.bytes += r.cost
	stay := 1
	if g.most < 0 {
		stay = 0
	}
	g.holds = g.room(r)
	for g.bytes > g.holds && len(g.records)-g.next > stay {
		evicted = append(evicted, g.pop())
	}
	return evicted
}

// room gives how many bytes the ring holds when the newest record is r.
func (g *ring) room(r *Record) int64 {
	return min(g.most, max(leastRing, ringRecords*r.cost))
}

// pass appends to evicted what every reader has passed: records that end at pos or
// before. Nobody at the tail asks for them again.
func (g *ring) pass(pos Position, evicted []*Record) []*Record {
	for g.next < len(g.records) && g.records[g.next].End <= pos {
		evicted = append(evicted, g.pop())
	}
	return evicted
}

func (g *ring) pop() *Record {
	r := g.records[g.next]
	g.records[g.next] = nil
	g.next++
	g.bytes -= r.cost
	g.start = r.End
	if g.next > 64 && g.next*2 > len(g.records) {
		n := copy(g.records, g.records[g.next:])
		clear(g.records[n:])
		g.records, g.next = g.records[:n], 0
	}
	return r
}

// until lets go what is not behind pos, and appends it to evicted; the caller
// releases it.
func (g *ring) until(pos Position, evicted []*Record) []*Record {
	for g.next < len(g.records) && g.records[g.next].Position <= pos {
		evicted = append(evicted, g.pop())
	}
	return evicted
}

// find gives the first record at or after pos with one more owner. It reports
// false when the record has left the ring or does not exist.
func (g *ring) find(pos Position) (*Record, bool) {
	if pos < g.start {
		return nil, false
	}
	live := g.records[g.next:]
	i := sort.Search(len(live), func(i int) bool { return live[i].Position >= pos })
	if i == len(live) {
		return nil, false
	}
	live[i].Retain()
	return live[i], true
}

// drain empties the ring; the caller releases what it gives.
func (g *ring) drain() []*Record {
	var out []*Record
	for g.next < len(g.records) {
		out = append(out, g.pop())
	}
	return out
}
