package merger

import (
	"container/heap"
	"time"

	"treq/telemetry/langsmith"
)

// waiting is a run whose end, or whose beginning, has not come.
type waiting struct {
	run    langsmith.Run
	tenant string
	first  int64 // when it was first told of, Unix nanoseconds of the log
	due    int64 // when waiting ends
	seq    uint64
	size   int
	at     int   // in the queue
	held   int64 // when it ended, if it waits for its twin; 0 if not
}

// The states of a run that became a span although it has not ended, or is shown as one.
const (
	running  = "running"
	timedOut = "timed_out"
	evicted  = "evicted"
)

// ended is a run that is to become a span.
type ended struct {
	run          langsmith.Run
	tenant       string
	span, parent [8]byte
	state        string // "" if its end was told
}

// limits bound what is waited for, and how long.
type limits struct {
	timeout, orphan time.Duration
	bytes           int64
	runs            int
}

// table holds the runs that are waited for. It is a function of the operations that
// it was told and of their times. Not safe for concurrent use.
type table struct {
	limits limits
	runs   map[langsmith.ID]*waiting
	queue  queue
	bytes  int64
	seq    uint64
	told   memory // runs that became spans, or have one already
	spans  names
	twins  twins
	// out gets each run that is to become a span, in order.
	out func(ended)

	late, timedOut, evicted, orphans, paired uint64
}

func newTable(l limits, out func(ended)) *table {
	return &table{limits: l, runs: map[langsmith.ID]*waiting{}, told: newMemory(), spans: newNames(), twins: newTwins(), out: out}
}

// take takes an operation in that was admitted at a time.
func (t *table) take(op *langsmith.Op, tenant string, at int64) {
	if t.told.has(op.ID) {
		t.late++
		return
	}
	w := t.runs[op.ID]
	if w == nil {
		t.seq++
		w = &waiting{first: at, seq: t.seq, at: -1}
		t.runs[op.ID] = w
	} else {
		t.bytes -= int64(w.size)
		if w.held != 0 {
			t.twins.release(w) // what it is like may change
		}
	}
	w.run.Merge(op)
	if tenant != "" {
		w.tenant = tenant
	}
	// The order in which ids are met decides between two runs of one trace whose
	// span ids would be the same.
	t.named(&w.run)
	w.size = w.run.Size()
	t.bytes += int64(w.size)
	if w.run.Ended() && w.run.Posted {
		if w.run.Twin() {
			t.twins.last = at
		} else if !w.run.Unmarked() || !t.twins.expected(at) {
			t.end(w, "")
			return
		}
		if t.twins.take(w.run.Likeness()) {
			t.paired++
			t.drop(w)
			return
		}
		if w.held == 0 {
			w.held = at
		}
		t.twins.hold(w)
	}
	w.due = t.dueOf(w)
	if w.at < 0 {
		heap.Push(&t.queue, w)
	} else {
		heap.Fix(&t.queue, w.at)
	}
	for len(t.runs) > t.limits.runs || t.bytes > t.limits.bytes {
		t.evicted++
		t.end(t.queue[0], t.stateOf(t.queue[0], evicted))
	}
}

// dueOf gives when the waiting for a run ends.
func (t *table) dueOf(w *waiting) int64 {
	switch {
	case w.held != 0:
		return w.held + int64(twinWait)
	case w.run.Ended():
		return w.first + int64(t.limits.orphan)
	}
	return w.first + int64(t.limits.timeout)
}

// traceOf gives the trace of a run: where it tells none, its own if it has no
// parent, else its parent's.
func (t *table) traceOf(r *langsmith.Run) langsmith.ID {
	switch {
	case r.Trace != langsmith.ID{}:
		return r.Trace
	case r.Parent == langsmith.ID{}:
		return r.ID
	}
	if p := t.runs[r.Parent]; p != nil && p.run.Trace != (langsmith.ID{}) {
		return p.run.Trace
	}
	return r.Parent
}

// named gives the ids of a run's span.
func (t *table) named(r *langsmith.Run) (trace langsmith.ID, span, parent [8]byte) {
	trace = t.traceOf(r)
	span = t.spans.of(trace, r.ID)
	if r.Parent != (langsmith.ID{}) {
		parent = t.spans.of(trace, r.Parent)
	}
	return trace, span, parent
}

// advance ends the waiting that is due by a time.
func (t *table) advance(now int64) {
	t.twins.expire(now)
	for len(t.queue) > 0 && t.queue[0].due <= now {
		w := t.queue[0]
		switch {
		case w.held != 0:
		case w.run.Ended():
			t.orphans++
		default:
			t.timedOut++
		}
		t.end(w, t.stateOf(w, timedOut))
	}
}

// stateOf is what a span says of why it did not wait longer: nothing where only the
// beginning was missing.
func (t *table) stateOf(w *waiting, why string) string {
	if w.run.Ended() {
		return ""
	}
	return why
}

// next gives when something is due; false if nothing is waited for.
func (t *table) next() (int64, bool) {
	if len(t.queue) == 0 {
		return 0, false
	}
	return t.queue[0].due, true
}

// end makes a span of a run.
func (t *table) end(w *waiting, state string) {
	t.drop(w)
	e := ended{run: w.run, tenant: w.tenant, state: state}
	e.run.Trace, e.span, e.parent = t.named(&w.run)
	t.out(e)
}

// drop forgets that a run is waited for, and remembers that it was told.
func (t *table) drop(w *waiting) {
	if w.held != 0 {
		t.twins.release(w)
	}
	if w.at >= 0 {
		heap.Remove(&t.queue, w.at)
	}
	delete(t.runs, w.run.ID)
	t.bytes -= int64(w.size)
	t.told.add(w.run.ID)
}

// queue orders runs by when their waiting ends, a heap.
type queue []*waiting

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].seq < q[j].seq
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push is called by package heap.
func (q *queue) Push(x any) {
	w := x.(*waiting)
	w.at = len(*q)
	*q = append(*q, w)
}

// Pop is called by package heap.
func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil
	*q, w.at = (*q)[:last], -1
	return w
}
