package runs

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry/journal"
)

// rows is the table behind the list: a row for each trace that was read, in chunks
// of which the oldest goes for the newest. Safe for concurrent use.
type rows struct {
	mu   sync.RWMutex
	seed uint64
	most int64 // bytes
	// chunks are oldest first; the row i of the chunk k is numbered
	// (first+k)*chunkRows+i, so that older ones can be put before the first.
	chunks []*chunk
	first  int32
	at     map[uint64]int32 // number of the row, by the hash of its trace
	from   time.Time        // when the oldest record that was read was admitted
	now    time.Time        // when the record that is being read was admitted
	left   uint64           // traces that were seen and are in no row
	lost   bool             // rows had to go for others
	// keep tells of a row that is to outlive its chunk; nil of none.
	keep func(r *row, c *chunk) bool
}

// middle leaves room for chunks before and behind.
const middle = 1 << 20

func newRows(seed uint64, most int64) *rows {
	return &rows{seed: seed, most: most, first: middle, at: map[uint64]int32{}}
}

func (t *rows) key(trace *[16]byte) uint64 { return max(xxh3.HashSeed(trace[:], t.seed), 1) }

// hash makes a number of a text that rows are asked for by equality; 0 is "".
func (t *rows) hash(text []byte) uint64 {
	if len(text) == 0 {
		return 0
	}
	return max(xxh3.HashSeed(text, t.seed), 1)
}

// find gives the row of a trace, nil if there is none. mu is held.
func (t *rows) find(trace *[16]byte) (*row, *chunk) {
	n, ok := t.at[t.key(trace)]
	if !ok {
		return nil, nil
	}
	c := t.chunks[n/chunkRows-t.first]
	r := &c.rows[n%chunkRows]
	if r.trace != *trace {
		return nil, nil
	}
	return r, c
}

// known tells whether a trace of a key has a row. mu is held.
func (t *rows) known(key uint64) bool {
	_, ok := t.at[key]
	return ok
}

// make gives a fresh row for a trace. mu is held.
func (t *rows) make(trace *[16]byte) (*row, *chunk) {
	n := len(t.chunks)
	if n == 0 || len(t.chunks[n-1].rows) == chunkRows {
		if n > 0 {
			t.chunks[n-1].known = map[string]place32{} // what is said of its rows later is little
		}
		c := newChunk()
		c.since = t.now
		t.chunks = append(t.chunks, c)
		t.trim()
		n = len(t.chunks)
	}
	c := t.chunks[n-1]
	c.rows = append(c.rows, row{trace: *trace, duration: -1})
	t.at[t.key(trace)] = (t.first+int32(n-1))*chunkRows + int32(len(c.rows)-1)
	return &c.rows[len(c.rows)-1], c
}

// drop takes a row away. mu is held.
func (t *rows) drop(r *row) {
	if !r.flags.has(isDead) {
		r.flags |= isDead
		delete(t.at, t.key(&r.trace))
	}
}

// dropIdle takes a row away, and gives its room back if it was made last. mu is held.
func (t *rows) dropIdle(r *row) {
	c := t.chunks[len(t.chunks)-1]
	t.drop(r)
	if n := len(c.rows); n > 0 && &c.rows[n-1] == r {
		c.rows = c.rows[:n-1]
	}
}

// trim lets the oldest chunks go until the others fit. mu is held.
func (t *rows) trim() {
	for len(t.chunks) > 2 && t.size() > t.most {
		t.rescue(t.chunks[0], t.chunks[len(t.chunks)-1])
		t.dropOldest()
		t.lost = true
	}
}

// mostRescued bounds the rows of a chunk that come from others, so that those cannot take all the room.
const mostRescued = chunkRows / 4

// rescue moves rows that are to be kept from a chunk that goes to another. mu is held.
func (t *rows) rescue(from, to *chunk) {
	if t.keep == nil {
		return
	}
	number := (t.first+int32(len(t.chunks))-1)*chunkRows + int32(len(to.rows))
	for i := len(from.rows) - 1; i >= 0 && len(to.rows) < mostRescued; i-- {
		r := &from.rows[i]
		if r.flags.has(isDead) || !t.keep(r, from) {
			continue
		}
		moved := from.move(*r, to)
		t.drop(r)
		to.rows = append(to.rows, moved)
		t.at[t.key(&moved.trace)] = number
		number++
	}
}

// dropOldest lets the oldest chunk go. mu is held.
func (t *rows) dropOldest() {
	c := t.chunks[0]
	for i := range c.rows {
		t.drop(&c.rows[i])
	}
	t.chunks = append([]*chunk(nil), t.chunks[1:]...)
	t.first++
	if len(t.chunks) > 0 {
		t.from = t.chunks[0].since
	} else {
		t.first = middle
	}
}

// has tells whether a trace has a row.
func (t *rows) has(trace [16]byte) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.known(t.key(&trace))
}

// lacks tells whether traces were seen that have no row.
func (t *rows) lacks() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.left > 0 || t.lost
}

func (t *rows) size() (n int64) {
	for _, c := range t.chunks {
		n += c.bytes()
	}
	return n
}

// extend takes the rows of records that come before all that were read. What both
// have of a trace becomes one row.
func (t *rows) extend(older *rows) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left += older.left
	if !older.from.IsZero() && (t.from.IsZero() || older.from.Before(t.from)) {
		t.from = older.from
	}
	for i := len(older.chunks) - 1; i >= 0; i-- {
		c := older.chunks[i]
		if len(t.chunks) > 0 && t.size()+c.bytes() > t.most {
			t.lost = true
			return
		}
		t.first--
		for k := range c.rows {
			o := &c.rows[k]
			if o.flags.has(isDead) {
				continue
			}
			if r, into := t.findAt(o, 1); r != nil {
				r.join(c.move(*o, into))
				o.flags |= isDead
				continue
			}
			t.at[t.key(&o.trace)] = t.first*chunkRows + int32(k)
		}
		c.known = map[string]place32{}
		t.chunks = append([]*chunk{c}, t.chunks...)
	}
}

// findAt is find while the chunks lack so many before the first.
func (t *rows) findAt(o *row, lack int32) (*row, *chunk) {
	n, ok := t.at[t.key(&o.trace)]
	if !ok || n/chunkRows-t.first-lack < 0 {
		return nil, nil
	}
	c := t.chunks[n/chunkRows-t.first-lack]
	if r := &c.rows[n%chunkRows]; r.trace == o.trace {
		return r, c
	}
	return nil, nil
}

// join takes what an older part of the same trace says, whose texts are this row's chunk's.
func (r *row) join(o row) {
	if o.leads(r) {
		r.run, r.head, r.start, r.duration = o.run, o.head, o.start, o.duration
		r.name, r.service, r.err, r.shownID, r.named, r.words = o.name, o.service, o.err, o.shownID, o.named, o.words
		r.kind = o.kind
		const ofHead = isRoot | isFailed | isGoing | isTimeout | isEvicted
		r.flags = r.flags&^ofHead | o.flags&ofHead
	}
	r.first, r.heard = min(r.first, o.first), max(r.heard, o.heard)
	r.tokens += o.tokens
	r.cost += o.cost
	r.spans += o.spans
	if o.flags.has(hasSimilarity) {
		r.scored(o.similarity)
	}
	if r.user == 0 {
		r.user = o.user
	}
	if r.talk == 0 {
		r.talk = o.talk
	}
	if o.model != 0 {
		r.model = o.model
	}
	r.flags |= o.flags & (isGenAI | hasTokens | hasCost)
}

// leads tells whether a head stands for the trace rather than another: one without
// a parent before one with, then the earlier.
func (r *row) leads(than *row) bool {
	if a, b := r.flags.has(isRoot), than.flags.has(isRoot); a != b {
		return a
	}
	return r.start < than.start
}

// scored notes a search's similarity: the lowest stays.
func (r *row) scored(similarity float32) {
	if !r.flags.has(hasSimilarity) || similarity < r.similarity {
		r.similarity = similarity
		r.flags |= hasSimilarity
	}
}

// spanRun is the id of a run that carries none of its own.
func spanRun(span [8]byte) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], binary.BigEndian.Uint64(span[:]))
	return id
}

// oldest gives the position below which rows lead nowhere.
func oldest(j *journal.Journal) journal.Position {
	if s := j.Segments(); len(s) > 0 {
		return s[0].Base
	}
	return 0
}
