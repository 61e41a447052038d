package runs

import (
	"encoding/binary"
	"encoding/hex"
	"time"
	"unsafe"

	"treq/telemetry/journal"
)

// row is what the list knows of one trace. It holds no pointers, so that a hundred
// thousand of them cost the garbage collector nothing; its texts are places in its
// chunk.
type row struct {
	trace, run     [16]byte // run is the id by which it is judged
	head           [8]byte
	start          int64            // Unix nanoseconds
	duration       int64            // nanoseconds, -1 if not known
	first, heard   journal.Position // where its records begin, and the latest
	tokens, cost   int64            // cost in billionths of a dollar
	user, talk     uint64           // hashes of user and conversation, 0 for none
	similarity     float32
	spans          uint32
	name, service  place32
	model, err     place32
	shownID, named place32 // where they differ from run
	words          place32 // folded, to be searched
	kind           uint8
	flags          rowFlags
}

type rowFlags uint16

const (
	isGenAI rowFlags = 1 << iota
	isRoot
	isDead // its trace stands in another row
	hasTokens
	hasCost
	hasSimilarity
	isFailed
	isGoing   // running
	isTimeout // timed_out
	isEvicted
	isErased
)

func (f rowFlags) has(g rowFlags) bool { return f&g != 0 }

// place32 is a text of a chunk; 0 is "".
type place32 uint32

// chunkRows is how many rows share their texts, and go together.
const chunkRows = 512

// rowBytes is about what a row takes, with its place in the map, without its texts.
const rowBytes = int64(unsafe.Sizeof(row{})) + 32

// chunk is a number of rows and their texts.
type chunk struct {
	rows  []row
	texts []byte
	known map[string]place32 // of the texts that many rows share
	since time.Time          // when the record that began it was admitted
}

func newChunk() *chunk {
	return &chunk{rows: make([]row, 0, chunkRows), texts: make([]byte, 1, 1<<10), known: map[string]place32{}}
}

func (c *chunk) bytes() int64 {
	return chunkRows*rowBytes + int64(cap(c.texts)) + int64(len(c.known))*64
}

// put keeps a text that is one row's own.
func (c *chunk) put(text string) place32 {
	if text == "" {
		return 0
	}
	text, _ = shorten(text, mostID)
	at := place32(len(c.texts))
	c.texts = binary.AppendUvarint(c.texts, uint64(len(text)))
	c.texts = append(c.texts, text...)
	return at
}

// share keeps a text that other rows have too.
func (c *chunk) share(text string) place32 {
	if text == "" {
		return 0
	}
	at, ok := c.known[text]
	if !ok {
		at = c.put(text)
		c.known[text] = at
	}
	return at
}

func (c *chunk) text(at place32) string { return string(c.bytesOf(at)) }

func (c *chunk) bytesOf(at place32) []byte {
	if at == 0 {
		return nil
	}
	n, size := binary.Uvarint(c.texts[at:])
	from := int(at) + size
	return c.texts[from : from+int(n)]
}

// move gives a row of this chunk its texts in another.
func (c *chunk) move(r row, to *chunk) row {
	for _, p := range []*place32{&r.name, &r.service, &r.model, &r.err} {
		*p = to.share(c.text(*p))
	}
	for _, p := range []*place32{&r.shownID, &r.named, &r.words} {
		*p = to.put(c.text(*p))
	}
	return r
}

// runID gives the id that is shown.
func (c *chunk) runID(r *row) string {
	if r.shownID != 0 {
		return c.text(r.shownID)
	}
	h := hex.EncodeToString(r.run[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// state gives why a run has no end, "" if it has.
func (r *row) state() string {
	switch {
	case r.flags.has(isGoing):
		return "running"
	case r.flags.has(isTimeout):
		return "timed_out"
	case r.flags.has(isEvicted):
		return "evicted"
	}
	return ""
}
