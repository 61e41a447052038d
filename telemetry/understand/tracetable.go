package understand

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"math/rand/v2"
)

// traceTable finds traces by id: a hash table with open addressing, so that a
// look-up misses the cache once, and can be made to miss it ahead of time. The
// zero value is empty.
type traceTable struct {
	slots  []traceSlot // a power of two, at most three quarters of them taken
	used   int
	seed   uint64
	warmed uint64
}

// traceSlot holds the trace's hash beside it, so that others are told from it untouched.
type traceSlot struct {
	hash  uint64
	trace *trace // nil: free
}

// hash mixes an id, which callers choose as they like, with a number that they do
// not know.
func (t *traceTable) hash(id *[16]byte) uint64 {
	x, y := bits.Mul64(binary.LittleEndian.Uint64(id[:8])^t.seed, binary.LittleEndian.Uint64(id[8:])^0xd6e8feb86659fd93)
	x, y = bits.Mul64(x^y^t.seed, 0x9e3779b97f4a7c15)
	return x ^ y
}

func (t *traceTable) len() int { return t.used }

// warm has the places of ids brought into the cache.
func (t *traceTable) warm(ids []aheadOne) {
	if len(t.slots) == 0 {
		return
	}
	var sum uint64
	for i := range ids {
		sum += t.slots[t.hash(&ids[i].id)&uint64(len(t.slots)-1)].hash
	}
	t.warmed = sum
}

// get gives the trace of an id, nil if there is none.
func (t *traceTable) get(id *[16]byte) *trace {
	if len(t.slots) == 0 {
		return nil
	}
	hash, mask := t.hash(id), uint64(len(t.slots)-1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := &t.slots[i]
		if slot.trace == nil || slot.hash == hash && slot.trace.id == *id {
			return slot.trace
		}
	}
}

// put adds a trace whose id is not in the table.
func (t *traceTable) put(one *trace) {
	if 4*(t.used+1) > 3*len(t.slots) {
		t.resize(max(64, 2*len(t.slots)))
	}
	t.place(traceSlot{t.hash(&one.id), one})
	t.used++
}

func (t *traceTable) place(s traceSlot) {
	mask := uint64(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].trace != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

func (t *traceTable) resize(size int) {
	old := t.slots
	if t.seed == 0 {
		t.seed = rand.Uint64() | 1
	}
	t.slots = make([]traceSlot, size)
	for i := range old {
		if old[i].trace != nil {
			t.place(old[i])
		}
	}
}

// remove takes a trace out that is in the table.
func (t *traceTable) remove(one *trace) {
	mask := uint64(len(t.slots) - 1)
	i := t.hash(&one.id) & mask
	for t.slots[i].trace != one {
		i = (i + 1) & mask
	}
	t.used--
	// What follows moves up, so that no search stops at the gap before it.
	for next := (i + 1) & mask; ; next = (next + 1) & mask {
		s := t.slots[next]
		if s.trace == nil {
			break
		}
		if (next-s.hash)&mask >= (next-i)&mask {
			t.slots[i] = s
			i = next
		}
	}
	t.slots[i] = traceSlot{}
	if t.used*16 < len(t.slots) && len(t.slots) > 1024 {
		t.resize(len(t.slots) / 4)
	}
}

// all gives the traces, in no order.
func (t *traceTable) all() iter.Seq[*trace] {
	return func(yield func(*trace) bool) {
		for i := range t.slots {
			if one := t.slots[i].trace; one != nil && !yield(one) {
				return
			}
		}
	}
}
