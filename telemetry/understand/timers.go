package understand

// timers is a heap of fragments by when they are due, then by age. A fragment that
// grows is due later and keeps its place until it comes up: key is never after due.
type timers []*fragment

func (h timers) before(a, b *fragment) bool {
	return a.key < b.key || a.key == b.key && a.seq < b.seq
}

func (h *timers) add(f *fragment) {
	f.key = f.due
	f.pos = len(*h)
	*h = append(*h, f)
	h.up(f.pos)
}

func (h *timers) remove(f *fragment) {
	old := *h
	last := len(old) - 1
	i := f.pos
	old[i] = old[last]
	old[i].pos = i
	old[last] = nil
	*h = old[:last]
	if i < last {
		h.fix(i)
	}
	f.pos = -1
}

// changed tells that a fragment's due time or age changed.
func (h *timers) changed(f *fragment) {
	if f.due < f.key {
		f.key = f.due
	}
	h.up(f.pos)
}

// next gives the fragment that is due first, nil if there is none.
func (h *timers) next() *fragment {
	for len(*h) > 0 {
		f := (*h)[0]
		if f.key == f.due {
			return f
		}
		f.key = f.due
		h.down(0)
	}
	return nil
}

func (h *timers) fix(i int) {
	h.up(i)
	h.down(i)
}

func (h timers) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if !h.before(h[i], h[p]) {
			return
		}
		h.swap(i, p)
		i = p
	}
}

func (h timers) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h.before(h[c+1], h[c]) {
			c++
		}
		if !h.before(h[c], h[i]) {
			return
		}
		h.swap(i, c)
		i = c
	}
}

func (h timers) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}
