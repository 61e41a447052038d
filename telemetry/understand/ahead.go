package understand

// ahead has the spans of a scope looked up before they are understood: each look-up
// misses the cache, and the misses of many cost little more than one if none waits for
// another. It looks a stretch ahead and no further, since understanding what lies
// between would push the rest out of the cache again.
type ahead struct {
	spans  []uint64   // fingerprints of the scope's spans, as heralded
	traces []aheadOne // in the order of their first spans
	// seen is how many spans of the scope were told, span and trace how many of each
	// were looked up.
	seen, span, trace int
	heralding         bool
}

// aheadOne is a trace, and the number of its first span.
type aheadOne struct {
	id    [16]byte
	first int
}

const (
	// stretch is how many spans are looked up at once.
	stretch = 64
	// mostAhead bounds how many are known at a time.
	mostAhead = 1 << 14
)

// herald notes the next span of the scope that comes.
func (a *ahead) herald(trace *[16]byte, fingerprint uint64) {
	if !a.heralding {
		a.clear()
		a.heralding = true
	}
	if len(a.spans) == mostAhead {
		return
	}
	if n := len(a.traces); n == 0 || a.traces[n-1].id != *trace {
		a.traces = append(a.traces, aheadOne{*trace, len(a.spans)})
	}
	a.spans = append(a.spans, fingerprint)
}

// scope begins with the spans that were heralded.
func (a *ahead) scope() {
	if !a.heralding {
		a.clear()
	}
	a.heralding = false
}

func (a *ahead) clear() {
	*a = ahead{spans: a.spans[:0], traces: a.traces[:0]}
}

// warm is told of each span before it is looked up.
func (a *ahead) warm(h *Horizon, t *traceTable) {
	if a.seen++; a.seen <= a.span || a.span == len(a.spans) {
		return
	}
	from := a.span
	a.span = min(a.span+stretch, len(a.spans))
	h.warm(a.spans[from:a.span])
	first := a.trace
	for a.trace < len(a.traces) && a.traces[a.trace].first < a.span {
		a.trace++
	}
	t.warm(a.traces[first:a.trace])
}
