package understand

// pool keeps what traces are made of, to be used again: what was given back last is
// given first, since it is still in a cache. It is bounded in number and in the size of
// lists, so that a flood does not cost memory for good.
type pool struct {
	traces []*trace
	frags  []*fragment
	opens  []*opened
	closes []*closed
	// opened and remembering count the halves that traces have.
	opened, remembering int
}

const (
	poolSize = 1024
	poolList = 64 // the longest list that is kept
)

func take[T any](list *[]*T) *T {
	last := len(*list) - 1
	if last < 0 {
		return nil
	}
	one := (*list)[last]
	*list = (*list)[:last]
	return one
}

func give[T any](list *[]*T, one *T) {
	if len(*list) < poolSize {
		*list = append(*list, one)
	}
}

// trace gives a trace without halves.
func (p *pool) trace() *trace {
	if t := take(&p.traces); t != nil {
		return t
	}
	return &trace{opened: nothingOpen, closed: nothingKept}
}

func (p *pool) putTrace(t *trace) {
	p.putOpen(t)
	p.putClosed(t)
	give(&p.traces, t)
}

func (p *pool) fragment() *fragment {
	if f := take(&p.frags); f != nil {
		return f
	}
	return new(fragment)
}

func (p *pool) putFragment(f *fragment) { give(&p.frags, f) }

func (p *pool) open() *opened {
	p.opened++
	if o := take(&p.opens); o != nil {
		return o
	}
	o := &opened{free: -1}
	o.frags = o.one[:0]
	return o
}

// putOpen takes the half for open spans, none of which is left, from a trace.
func (p *pool) putOpen(t *trace) {
	o := t.opened
	if o == nothingOpen {
		return
	}
	t.opened = nothingOpen
	p.opened--
	if cap(o.spans) <= poolList && cap(o.frags) <= poolList {
		o.slots, o.waiting = nil, nil
		give(&p.opens, o)
	}
}

// closed gives a trace the half that remembers, if it has none.
func (p *pool) closed(t *trace) {
	if t.closed != nothingKept {
		return
	}
	p.remembering++
	if t.closed = take(&p.closes); t.closed == nil {
		t.closed = new(closed)
	}
}

// putClosed takes from a trace what it remembers.
func (p *pool) putClosed(t *trace) {
	c := t.closed
	if c == nothingKept {
		return
	}
	t.closed = nothingKept
	p.remembering--
	if cap(c.kept) <= poolList && cap(c.chats) <= poolList {
		*c = closed{kept: c.kept[:0], chats: c.chats[:0], calls: c.calls[:0]}
		give(&p.closes, c)
	}
}
