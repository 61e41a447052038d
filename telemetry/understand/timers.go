package understand

import "slices"

// timers knows which fragment is due first: a heap, four children to a node, of
// entries that hold what they are ordered by, so that the fragments themselves
// are not touched while they wait.
//
// A fragment that grows is due later and keeps its entry until that comes up; one
// that is due sooner, or older, gets a new entry. Its old one is stale then, as
// are those of fragments that ended, and goes when it comes up or when half of
// all are stale.
type timers struct {
	heap []timer
	live int // fragments that have an entry
}

// timer is an entry: a fragment, and what was its due time and age.
type timer struct {
	due  int64
	seq  uint64
	frag *fragment
}

func (x *timer) before(y *timer) bool { return x.due < y.due || x.due == y.due && x.seq < y.seq }

// stale tells whether the entry stands for its fragment no longer.
func (x *timer) stale() bool {
	return !x.frag.timed || x.frag.timer.due != x.due || x.frag.timer.seq != x.seq
}

// set tells that a fragment is due at f.due, and is of age f.seq.
func (h *timers) set(f *fragment) {
	e := timer{f.due, f.seq, f}
	switch {
	case !f.timed:
		f.timed = true
		h.live++
	case !e.before(&timer{due: f.timer.due, seq: f.timer.seq}):
		return
	}
	h.push(e)
}

func (h *timers) push(e timer) {
	e.frag.timer.due, e.frag.timer.seq = e.due, e.seq
	if len(h.heap) >= 64 && len(h.heap) >= 2*h.live {
		h.compact()
	}
	h.heap = append(h.heap, e)
	i := len(h.heap) - 1
	for i > 0 {
		p := (i - 1) / 4
		if !e.before(&h.heap[p]) {
			break
		}
		h.heap[i] = h.heap[p]
		i = p
	}
	h.heap[i] = e
}

// compact drops all stale entries.
func (h *timers) compact() {
	h.heap = slices.DeleteFunc(h.heap, func(e timer) bool { return e.stale() })
	for i := (len(h.heap) - 2) / 4; i >= 0 && len(h.heap) > 1; i-- {
		h.down(i, h.heap[i])
	}
}

// remove takes a fragment out that ended.
func (h *timers) remove(f *fragment) {
	if f.timed {
		f.timed = false
		h.live--
	}
}

// next gives the fragment that is due first, nil if there is none.
func (h *timers) next() *fragment {
	for len(h.heap) > 0 {
		e := h.heap[0]
		if !e.stale() {
			if e.due == e.frag.due && e.seq == e.frag.seq {
				return e.frag
			}
			// It is due later than when it got this entry.
			e.due, e.seq = e.frag.due, e.frag.seq
			e.frag.timer.due, e.frag.timer.seq = e.due, e.seq
			h.down(0, e)
			continue
		}
		last := len(h.heap) - 1
		e, h.heap[last] = h.heap[last], timer{}
		h.heap = h.heap[:last]
		if last > 0 {
			h.down(0, e)
		}
	}
	return nil
}

// down puts an entry where one was that came before it.
func (h *timers) down(i int, e timer) {
	for {
		c := 4*i + 1
		if c >= len(h.heap) {
			break
		}
		first := c
		for k := c + 1; k < min(c+4, len(h.heap)); k++ {
			if h.heap[k].before(&h.heap[first]) {
				first = k
			}
		}
		if !h.heap[first].before(&e) {
			break
		}
		h.heap[i] = h.heap[first]
		i = first
	}
	h.heap[i] = e
}
