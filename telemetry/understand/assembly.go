package understand

import (
	"math"
	"slices"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// assembly joins spans into fragments and closes these by journal time.
type assembly struct {
	config *Config
	rec    telemetry.Recorder
	now    int64
	// explain is told what became of each span; nil where nobody asks.
	explain func(verdict)

	traces traceTable
	last   *trace
	pool   pool
	shapes shapes
	figures
	timers timers
	seq    uint64
	open   int

	// memories is a queue by time; entries whose seq is not their trace's are stale.
	memories   queue[memory]
	remembered int
	warmAhead  int // memories that warmMemories has seen
	warmed     uint64

	runs    runs
	entries entries
	settle  settling
	stats   Stats
}

// add takes an admitted span that was not seen before, and its shape.
func (a *assembly) add(s *Span, shape *shape) {
	t := a.trace(s)
	if t.door != s.Door {
		a.duplicate(s, "other_door")
		return
	}
	if t.find(s.ID) >= 0 || len(t.kept) > 0 && t.keptIndex(s.ID) >= 0 {
		a.duplicate(s, "")
		return
	}
	f := a.fragment(t)
	i := t.put(s.ID)
	h := &t.spans[i]
	a.hold(h, s, shape)
	h.frag = f
	f.top, f.head, f.tail, f.count = i, i, i, 1
	f.genai = s.Kind != semconv.KindOther || s.Flags&Entry != 0
	a.open++
	if s.Parent != 0 {
		t.wait(f)
		if p := t.find(s.Parent); p >= 0 && p != i {
			f = a.join(t, t.spans[p].frag, f, p)
		}
	}
	if len(t.frags) > 1 {
		for {
			b := t.lacking(s.ID, f)
			if b == nil {
				break
			}
			f = a.join(t, f, b, i)
		}
	}
	f.grew = a.now
	a.schedule(t, f)
	if int(t.live) > a.config.MaxTraceSpans {
		a.closeAll(t)
	}
	for tooMany(a.open, a.pool.opened, a.config.MaxOpenSpans) {
		a.stats.ClosedEarly++
		a.fire(a.timers.next(), true)
	}
}

// leastSpans is how many spans a trace counts for at least: what it takes beside its
// spans is as much as they do, and a flood of traces of one span would hold three times
// the memory that the bound is for.
const leastSpans = 3

// tooMany tells whether spans of so many traces pass a bound.
func tooMany(spans, traces, most int) bool {
	return spans > most || traces > 1 && traces*leastSpans > most
}

// duplicate tells of a span that was known before, or is counted elsewhere.
func (a *assembly) duplicate(s *Span, reason string) {
	a.rec.Span(telemetry.Duplicate, reason, s.Service, 1)
	if a.explain != nil {
		a.explain(verdict{span: s, disposition: telemetry.Duplicate, reason: reason})
	}
}

// trace gives the trace of a span, a new one if there is none.
func (a *assembly) trace(s *Span) *trace {
	if a.last != nil && a.last.id == s.TraceID {
		return a.last
	}
	t := a.traces.get(&s.TraceID)
	if t == nil {
		t = a.pool.trace()
		a.seq++
		t.id, t.door, t.seq = s.TraceID, s.Door, a.seq
		a.traces.put(t)
	}
	a.last = t
	return t
}

// forget drops a trace that holds nothing any more.
func (a *assembly) forget(t *trace) {
	if len(t.frags) > 0 || len(t.kept) > 0 {
		return
	}
	a.traces.remove(t)
	if a.last == t {
		a.last = nil
	}
	a.pool.putTrace(t)
}

// fragment makes an empty fragment of a trace.
func (a *assembly) fragment(t *trace) *fragment {
	f := a.pool.fragment()
	if t.opened == nothingOpen {
		t.opened = a.pool.open()
	}
	a.seq++
	*f = fragment{trace: t, seq: a.seq, first: a.now, grew: a.now}
	t.frags = append(t.frags, f)
	return f
}

// dispose takes a fragment that ended out of the timers and the trace.
func (a *assembly) dispose(f *fragment) {
	a.timers.remove(f)
	f.trace.drop(f)
	f.trace = nil
	a.pool.putFragment(f)
}

func (a *assembly) join(t *trace, upper, lower *fragment, parent int32) *fragment {
	lives, ends := t.join(upper, lower, parent)
	a.dispose(ends)
	return lives
}

// schedule sets when a fragment is due.
func (a *assembly) schedule(t *trace, f *fragment) {
	top := &t.spans[f.top]
	wait, in := a.config.CloseLeaf, laneLeaf
	switch {
	case top.Parent == 0, top.SpanKind == otlp.KindServer, t.keptIndex(top.Parent) >= 0:
		wait, in = a.config.CloseRoot, laneRoot
	case isChain(top.Kind):
		wait, in = a.config.CloseChain, laneChain
	}
	f.due = min(later(f.grew, int64(wait)), later(f.first, int64(a.config.CloseMax)))
	a.timers.set(f, in)
}

// later adds without passing the end of time.
func later(at, wait int64) int64 {
	if at > math.MaxInt64-wait {
		return math.MaxInt64
	}
	return at + wait
}

// advance fires all timers due by a time, in the order of their times.
func (a *assembly) advance(now int64) {
	for {
		f := a.timers.next()
		if f == nil || f.due > now {
			break
		}
		a.now = max(a.now, f.due)
		a.fire(f, false)
	}
	a.now = max(a.now, now)
	for a.memories.len() > 0 && a.memories.first().until <= a.now {
		a.expire()
	}
	a.runs.expire(a.now)
}

// fire closes a fragment that is due, or, forced, that is not.
func (a *assembly) fire(f *fragment, forced bool) {
	a.timers.warm()
	t := f.trace
	host := int32(-1)
	if len(t.frags) > 1 || len(t.kept) > 0 {
		if t.spans[f.top].Parent != 0 && t.keptIndex(t.spans[f.top].Parent) < 0 {
			open, closed := t.host(f)
			if open >= 0 && !forced {
				up := t.spans[open].frag
				t.spans[f.top].adopted = true
				f = a.join(t, up, f, open)
				a.schedule(t, f)
				return
			}
			host = closed
		}
		f = a.absorb(t, f)
		if a.schedule(t, f); !forced && f.due > a.now {
			return
		}
	}
	a.settle.close(a, t, f, host)
	a.open -= int(f.count)
	a.dispose(f)
	t.release(f, &a.figures)
	if t.live == 0 {
		a.pool.putOpen(t)
	}
	a.forget(t)
}

// absorb joins to a fragment the orphans of its trace that it contains.
func (a *assembly) absorb(t *trace, f *fragment) *fragment {
	if len(t.frags)*len(t.spans) > hostWork {
		return f
	}
	orphans := make([]*fragment, 0, 8)
	for _, o := range t.frags {
		if p := t.spans[o.top].Parent; o != f && p != 0 && t.keptIndex(p) < 0 {
			orphans = append(orphans, o)
		}
	}
	slices.SortFunc(orphans, func(x, y *fragment) int {
		return order(&t.spans[x.top], &t.spans[y.top])
	})
	again := true
	for pass := 0; again && pass < mostPasses; pass++ {
		again = false
		for i, o := range orphans {
			if o == nil {
				continue
			}
			if open, _ := t.host(o); open >= 0 && t.spans[open].frag == f {
				orphans[i] = nil
				t.spans[o.top].adopted = true
				f = a.join(t, f, o, open)
				again = true
			}
		}
	}
	return f
}

// mostPasses bounds how deep orphans are found inside orphans against the order of
// their starts.
const mostPasses = 16

// order is the one order of spans that does not depend on how they came: by start,
// then by id.
func order(x, y *held) int {
	switch {
	case x.Start != y.Start:
		if x.Start < y.Start {
			return -1
		}
		return 1
	case x.ID != y.ID:
		if x.ID < y.ID {
			return -1
		}
		return 1
	}
	return 0
}

// host finds the span below which an orphan fragment belongs: the shortest one of
// the same service that contains its start, open outside the fragment or kept; -1
// if there is none. Spans that lack the same parent are siblings, and model spans
// have no children but those that name them: neither is a host.
func (t *trace) host(f *fragment) (open, closed int32) {
	open, closed = -1, -1
	top := &t.spans[f.top]
	if len(t.frags)*len(t.spans) > hostWork {
		return
	}
	shortest := int64(math.MaxInt64)
	for i := range t.spans {
		h := &t.spans[i]
		if h.frag == nil || h.frag == f || h.Service != top.Service || h.Start > top.Start || h.End < top.Start ||
			h.Parent == top.Parent || isModel(h.Kind) || h.Flags&(Untimed|Unusable) != 0 {
			continue
		}
		length := h.End - h.Start
		if length < shortest || length == shortest && open >= 0 && order(h, &t.spans[open]) < 0 {
			open, shortest = int32(i), length
		}
	}
	for i := range t.kept {
		k := &t.kept[i]
		if k.from.Service == top.Service && k.start <= top.Start && top.Start <= k.end && k.parent != top.Parent &&
			!isModel(k.kind) && k.end-k.start < shortest {
			open, closed, shortest = -1, int32(i), k.end-k.start
		}
	}
	return open, closed
}

// hostWork bounds fragments times spans for which hosts are looked for: beyond it
// orphans stand alone.
const hostWork = 1 << 18

// closeAll closes all fragments of a trace that grew too large.
func (a *assembly) closeAll(t *trace) {
	for t.live > 0 {
		oldest := t.frags[0]
		for _, f := range t.frags {
			if f.seq < oldest.seq {
				oldest = f
			}
		}
		a.stats.ClosedEarly++
		a.fire(oldest, true)
	}
}

// remember puts a trace that keeps something into the queue anew.
func (a *assembly) remember(t *trace) {
	a.seq++
	t.keptSeq = a.seq
	t.until = later(a.now, int64(a.config.Remember))
	a.memories.push(memory{t, t.keptSeq, t.until})
	for tooMany(a.remembered, a.pool.remembering, a.config.MaxRemembered) && a.memories.len() > 0 {
		if m := a.memories.first(); m.trace.keptSeq == m.seq {
			a.stats.Forgotten += int64(len(m.trace.kept))
		}
		a.expire()
	}
}

// expire takes the oldest memory off the queue and forgets what it stands for.
func (a *assembly) expire() {
	a.warmMemories()
	m := a.memories.pop()
	if t := m.trace; t.keptSeq == m.seq {
		a.remembered -= len(t.kept)
		for i := range t.chats {
			a.runs.forget(t.chats[i].run, t)
		}
		a.pool.putClosed(t)
		a.forget(t)
	}
}

// warmMemories brings what is forgotten next into the cache, as timers.warm does.
func (a *assembly) warmMemories() {
	if a.warmAhead--; a.warmAhead > 0 {
		return
	}
	next := a.memories.list[a.memories.head:min(len(a.memories.list), a.memories.head+batch)]
	a.warmAhead = len(next)
	var ids [batch]aheadOne
	for i := range next {
		ids[i].id = next[i].trace.id
	}
	var sum uint64
	for i := range next {
		sum += next[i].trace.keptSeq
	}
	// What they keep is written over as soon as they are forgotten.
	for i := range next {
		t := next[i].trace
		for k := range t.kept[:min(len(t.kept), 8)] {
			sum += t.kept[k].id
		}
		for k := range t.calls[:min(len(t.calls), 4)] {
			sum += uint64(t.calls[k].start + t.calls[k].tokens.Unsplit)
		}
		for k := range t.chats[:min(len(t.chats), 1)] {
			sum += uint64(t.chats[k].calls)
		}
	}
	a.warmed = sum
	a.traces.warm(ids[:len(next)])
}
