package merger

import (
	"bytes"
	"slices"
	"time"

	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

const (
	// twinWait is how long a run that is sent as OTLP too waits for that span, or the
	// span for it: several times what the exporter holds back.
	twinWait = 30 * time.Second
	// mostTwins bounds the spans that wait for their runs.
	mostTwins = 1 << 16
	// headOf is how much of a request is looked at for the exporter's mark, which
	// stands on the resource, in front.
	headOf = 1 << 10
	// expectTwins is for how long more runs are expected that come twice.
	expectTwins = 15 * time.Minute
)

// twins pairs the runs that Python's SDK sends twice in its hybrid mode, natively
// and as OTLP under other ids. The span is counted by those who read spans, so the
// run becomes none.
type twins struct {
	// held are the ended runs that wait, by their likeness.
	held map[uint64][]*waiting
	// seen are the spans that wait, a line each, and their number by likeness.
	seen  map[uint64]int
	queue []sighting
	// last is when a run that is sent twice ended last, 0 if none did.
	last int64
}

type sighting struct {
	likeness uint64
	at       int64
}

func newTwins() twins {
	return twins{held: map[uint64][]*waiting{}, seen: map[uint64]int{}}
}

// expected tells whether runs came twice not long ago.
func (t *twins) expected(now int64) bool { return t.last != 0 && now-t.last < int64(expectTwins) }

// take tells whether the span of a run was seen before, which is then used up.
func (t *twins) take(likeness uint64) bool {
	if t.seen[likeness] == 0 {
		return false
	}
	t.unsee(likeness)
	i := slices.IndexFunc(t.queue, func(s sighting) bool { return s.likeness == likeness })
	t.queue = slices.Delete(t.queue, i, i+1)
	return true
}

func (t *twins) unsee(likeness uint64) {
	if t.seen[likeness]--; t.seen[likeness] <= 0 {
		delete(t.seen, likeness)
	}
}

// see notes a span that waits for its run.
func (t *twins) see(likeness uint64, at int64) {
	t.seen[likeness]++
	t.queue = append(t.queue, sighting{likeness, at})
	if len(t.queue) > mostTwins {
		t.forget()
	}
}

func (t *twins) forget() {
	t.unsee(t.queue[0].likeness)
	t.queue = t.queue[1:]
}

// expire forgets the spans that waited long enough.
func (t *twins) expire(now int64) {
	for len(t.queue) > 0 && t.queue[0].at+int64(twinWait) <= now {
		t.forget()
	}
}

func (t *twins) hold(w *waiting) {
	l := w.run.Likeness()
	t.held[l] = append(t.held[l], w)
}

// release takes a run out that no longer waits.
func (t *twins) release(w *waiting) {
	l := w.run.Likeness()
	list := t.held[l]
	for i := range list {
		if list[i] == w {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(t.held, l)
		return
	}
	t.held[l] = list
}

// ofExporter tells whether a request is one of the exporter that sends runs twice.
func ofExporter(data []byte) bool {
	return bytes.Contains(data[:min(len(data), headOf)], []byte(semconv.LSInternalProvider))
}

// sightings are the spans of a request of that exporter. It is told by the scanner.
type sightings struct {
	table *table
	at    int64
}

// Resource is called by the scanner.
func (s *sightings) Resource(*otlp.Resource) {}

// Scope is called by the scanner.
func (s *sightings) Scope(*otlp.Scope) {}

// Span is called by the scanner.
func (s *sightings) Span(sp *otlp.Span) {
	project, kind := []byte(langsmith.DefaultProject), []byte("chain")
	name := sp.Name
	for i := range sp.Attributes {
		switch a := &sp.Attributes[i]; string(a.Key) {
		case semconv.LSProject:
			project = a.Value.Bytes
		case semconv.LSTraceName:
			name = a.Value.Bytes
		case semconv.LSSpanKind:
			kind = a.Value.Bytes
		}
	}
	s.table.sighted(langsmith.Likeness(project, name, kind, sp.Start), s.at)
}

// sighted takes a span in that may be the twin of a run: of one that waits for it,
// else of one that is to come.
func (t *table) sighted(likeness uint64, at int64) {
	if list := t.twins.held[likeness]; len(list) > 0 {
		t.paired++
		t.drop(list[0])
		return
	}
	t.twins.see(likeness, at)
}
