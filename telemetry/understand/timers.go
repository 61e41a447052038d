package understand

import "slices"

// timers knows which fragment is due first. Waits are of few lengths and time
// only moves forward, so nearly all entries come in the order in which they are due,
// lane by lane: each lane is a queue. What comes out of order goes to a heap.
// Entries hold what they are ordered by, so that fragments are not touched while
// they wait.
//
// A fragment that grows is due later and keeps its entry until that comes up; one
// that is due sooner, or older, gets a new entry. Its old one is stale then, as
// are those of fragments that ended, and goes when it comes up or when half of
// all are stale.
type timers struct {
	lanes [laneCount]queue[timer]
	heap  []timer
	live  int // fragments that have an entry
	ahead int // entries at the head of the first lane that warm has seen
	warms uint64
}

// lane is a length of waiting.
type lane uint8

const (
	laneRoot lane = iota
	laneChain
	laneLeaf
	laneCount
)

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

// set tells that a fragment, which waits in a lane, is due at f.due and of age f.seq.
func (h *timers) set(f *fragment, in lane) {
	e := timer{f.due, f.seq, f}
	switch {
	case !f.timed:
		f.timed = true
		h.live++
	case !e.before(&timer{due: f.timer.due, seq: f.timer.seq}):
		return
	}
	f.timer.due, f.timer.seq = e.due, e.seq
	if n := h.len(); n >= 64 && n >= 2*h.live {
		h.compact()
	}
	if q := &h.lanes[in]; q.len() == 0 || !e.before(&q.list[len(q.list)-1]) {
		q.push(e)
	} else {
		h.push(e)
	}
}

func (h *timers) len() int {
	n := len(h.heap)
	for i := range h.lanes {
		n += h.lanes[i].len()
	}
	return n
}

// compact drops all stale entries.
func (h *timers) compact() {
	stale := func(e timer) bool { return e.stale() }
	for i := range h.lanes {
		q := &h.lanes[i]
		kept := slices.DeleteFunc(q.list[q.head:], stale)
		q.list = q.list[:q.head+len(kept)]
	}
	h.ahead = 0
	h.heap = slices.DeleteFunc(h.heap, stale)
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
	for {
		first, from := (*timer)(nil), -1
		for i := range h.lanes {
			if q := &h.lanes[i]; q.len() > 0 && (first == nil || q.first().before(first)) {
				first, from = q.first(), i
			}
		}
		if len(h.heap) > 0 && (first == nil || h.heap[0].before(first)) {
			first, from = &h.heap[0], -1
		}
		switch {
		case first == nil:
			return nil
		case first.stale():
			h.pop(from)
		case first.due == first.frag.due && first.seq == first.frag.seq:
			return first.frag
		default:
			// It is due later than when it got this entry.
			f := first.frag
			h.pop(from)
			f.timer.due, f.timer.seq = f.due, f.seq
			h.push(timer{f.due, f.seq, f})
		}
	}
}

// pop takes the first entry off a lane, or off the heap for -1.
func (h *timers) pop(from int) {
	if from >= 0 {
		h.lanes[from].pop()
		if from == 0 {
			h.ahead = max(0, h.ahead-1)
		}
		return
	}
	last := len(h.heap) - 1
	e := h.heap[last]
	h.heap[last] = timer{}
	h.heap = h.heap[:last]
	if last > 0 {
		h.down(0, e)
	}
}

// push puts an entry on the heap, which has four children to a node.
func (h *timers) push(e timer) {
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

// batch is how many of those that come next are brought into the cache at once.
const batch = 16

// warm brings what comes up next in the first lane into the cache, many at a time:
// each of them lies somewhere else in memory, and misses that do not wait for one
// another cost little more than one.
func (h *timers) warm() {
	q := &h.lanes[laneRoot]
	if h.ahead > 0 || q.len() == 0 {
		return
	}
	next := q.list[q.head:min(len(q.list), q.head+batch)]
	h.ahead = len(next)
	var sum uint64
	for i := range next {
		sum += next[i].frag.seq
	}
	for i := range next {
		if t := next[i].frag.trace; t != nil {
			sum += t.seq + uint64(len(t.spans)) + t.keptSeq
		}
	}
	for i := range next {
		if t := next[i].frag.trace; t != nil {
			for k := range t.spans[:min(len(t.spans), 8)] {
				sum += t.spans[k].ID + uint64(t.spans[k].next)
			}
		}
	}
	for i := range next {
		if t := next[i].frag.trace; t != nil {
			for k := range t.spans[:min(len(t.spans), 8)] {
				if h := &t.spans[k]; h.Call != nil {
					sum += uint64(h.Call.Tokens.Input) + uint64(h.Call.TimeToFirstToken)
				} else if h.Search != nil {
					sum += uint64(h.Search.Documents)
				}
			}
		}
	}
	// Kept, so that the reading is not left out.
	h.warms = sum
}
