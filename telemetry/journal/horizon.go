package journal

// horizonCost is about what one remembered hash takes in the map and the queue.
const horizonCost = 160

// original is a record whose duplicates are known.
type original struct {
	receipt  Receipt
	admitted int64
}

// horizon remembers the hashes of recent records, bounded in time and bytes.
// It is guarded by Journal.mu.
type horizon struct {
	length int64 // nanoseconds
	most   int   // hashes
	known  map[[16]byte]original
	order  []admission // oldest first, from next on
	next   int
	cut    uint64 // forgotten before their time
}

type admission struct {
	hash     [16]byte
	admitted int64
	position Position
}

func newHorizon(length, maxBytes int64) *horizon {
	return &horizon{
		length: length,
		most:   int(max(maxBytes/horizonCost, 1)),
		known:  make(map[[16]byte]original),
	}
}

// find gives the original of hash if it is still within the horizon at now.
func (h *horizon) find(hash [16]byte, now int64) (original, bool) {
	o, ok := h.known[hash]
	return o, ok && o.admitted >= now-h.length
}

// add remembers a record, and forgets those that left the horizon.
func (h *horizon) add(hash [16]byte, o original) {
	if hash == ([16]byte{}) {
		return
	}
	h.forget(o.admitted)
	if len(h.order)-h.next >= h.most {
		h.drop()
		h.cut++
	}
	h.known[hash] = o
	h.order = append(h.order, admission{hash, o.admitted, o.receipt.Position})
}

// forget drops what was admitted before the horizon of now.
func (h *horizon) forget(now int64) {
	for h.next < len(h.order) && h.order[h.next].admitted < now-h.length {
		h.drop()
	}
}

func (h *horizon) drop() {
	a := h.order[h.next]
	// The hash may stand for a later record by now.
	if h.known[a.hash].receipt.Position == a.position {
		delete(h.known, a.hash)
	}
	h.next++
	if h.next > 1024 && h.next*2 > len(h.order) {
		h.order = append(h.order[:0], h.order[h.next:]...)
		h.next = 0
	}
}
