package understand

import (
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

// Engine turns requests into events. It is told the journal's records in order
// and tells one recorder. Not safe for concurrent use.
//
// Its state is what MarshalBinary gives and, apart from that because of its size,
// the Horizon of spans seen.
type Engine struct {
	config   Config
	reader   *Reader
	assembly assembly
	horizon  *Horizon
	feedback judgements
	rec      telemetry.Recorder

	scanner otlp.Scanner
	door    uint8
	span    Span
	origin  string // service.name of the log records being read, "" if not told
	// observing fills the horizon and nothing else, at observed journal time.
	observing bool
	observed  int64
	ahead     ahead
	familiars familiars
	outline   otlp.Outline
	// firstSight may be nil.
	firstSight func(at int64, fingerprint uint64)
}

// Stats are figures of the engine's life since it was made or restored.
type Stats struct {
	OpenSpans      int   // spans in open fragments
	OpenTraces     int   // traces with something open or remembered
	Remembered     int   // spans remembered of closed fragments
	ClosedEarly    int64 // fragments closed before their time for want of room
	Forgotten      int64 // spans forgotten before their time for want of room
	HorizonBytes   int   // size of the table of spans seen
	HorizonSpans   int   // fingerprints in it
	HorizonEvicted int64 // fingerprints forgotten before their time for want of room

	// ChatsFromTraces and ChatsFromPosts count chats by door: while both grow, the
	// same chats may be counted twice.
	ChatsFromTraces int64
	ChatsFromPosts  int64
}

// New makes an engine that tells rec. The error, of kind Invalid, names what is
// wrong with the configuration.
func New(c Config, rec telemetry.Recorder) (*Engine, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	e := &Engine{config: c, rec: rec, horizon: NewHorizon(c.Remember, c.HorizonBytes)}
	e.reader = newReader(&e.config)
	e.assembly = assembly{config: &e.config, rec: rec}
	e.assembly.settle.config = &e.config
	return e, nil
}

// Traces takes an ExportTraceServiceRequest (protobuf) that was admitted at a
// time, which counts for all its spans; a time before the latest told counts as
// that. All timers due by then fire first. door is a class of doors: doors through
// which parts of one trace may come, such as OTLP over HTTP and over gRPC, share a
// number; a trace seen through one class is not counted from another.
//
// An error, of kind Invalid, means that the body does not decode; the spans before
// the fault have been taken.
func (e *Engine) Traces(admitted time.Time, door uint8, body []byte) error {
	e.Advance(admitted)
	e.door = door
	defer e.reader.unmapped.tell(e.rec)
	defer e.outline.Forget()
	return e.scanner.Traces(body, (*traceVisitor)(e))
}

// OnFirstSight has f told the journal time (Unix nanoseconds) and fingerprint of
// each span that was not known, as it is seen: what Horizon().Add needs to make
// the horizon again. nil tells nobody.
func (e *Engine) OnFirstSight(f func(at int64, fingerprint uint64)) { e.firstSight = f }

// Observe adds the spans of a request to the horizon and does nothing else: it
// rebuilds the horizon up to the position a restored state stands for. Requests
// come in the order in which they were admitted.
func (e *Engine) Observe(admitted time.Time, body []byte) error {
	e.observing, e.observed = true, admitted.UnixNano()
	defer func() { e.observing = false }()
	return e.scanner.Traces(body, (*traceVisitor)(e))
}

// Advance moves journal time forward: timers due by then fire in the order of
// their times. A time before the latest told does nothing.
func (e *Engine) Advance(t time.Time) { e.assembly.advance(t.UnixNano()) }

// Next gives the time at which the next timer is due; false if none runs.
func (e *Engine) Next() (time.Time, bool) {
	f := e.assembly.timers.next()
	if f == nil {
		return time.Time{}, false
	}
	return time.Unix(0, f.due), true
}

// Open gives the number of spans that have been admitted and not yet found their disposition.
func (e *Engine) Open() int { return e.assembly.open }

// Flush closes everything that is open, as if its time had come. It is for the end
// of a finite input: a demonstration, an import, a test.
func (e *Engine) Flush() {
	for f := e.assembly.timers.next(); f != nil; f = e.assembly.timers.next() {
		e.Advance(time.Unix(0, f.due))
	}
}

// Entries lists the names considered as chats with their counts, by service and name.
func (e *Engine) Entries() []EntryCount { return e.assembly.entries.list() }

// Horizon gives the spans seen, to export and load beside the state.
func (e *Engine) Horizon() *Horizon { return e.horizon }

// Stats gives the engine's figures.
func (e *Engine) Stats() Stats {
	s := e.assembly.stats
	s.OpenSpans, s.OpenTraces, s.Remembered = e.assembly.open, e.assembly.traces.len(), e.assembly.remembered
	s.HorizonBytes, s.HorizonSpans, s.HorizonEvicted = e.horizon.Bytes(), e.horizon.Len(), e.horizon.Evicted()
	return s
}

// traceVisitor is the engine as the scanner sees it.
type traceVisitor Engine

func (v *traceVisitor) Resource(r *otlp.Resource) { v.reader.Resource(r) }

func (v *traceVisitor) Scope(s *otlp.Scope) {
	v.reader.Scope(s)
	v.ahead.scope()
}

// Herald implements otlp.Herald.
func (v *traceVisitor) Herald(trace *[16]byte, span *[8]byte) {
	v.ahead.herald(trace, Fingerprint(trace, number(*span)))
}

// Skim implements otlp.Skimmer.
func (v *traceVisitor) Skim(raw []byte) bool {
	o := &v.outline
	if v.observing || !o.Read(raw) {
		return false
	}
	f := v.familiars.find(o, v.reader)
	if f == nil || !v.reader.again(f, o, &v.span) {
		return false
	}
	if v.known(&o.TraceID, o.SpanID) {
		v.reader.rejected = rejections{}
		return true
	}
	for _, name := range f.unmapped {
		v.reader.unmapped.note(name, v.reader.texts)
	}
	v.take(f.shape)
	return true
}

func (v *traceVisitor) Span(sp *otlp.Span) {
	if v.known(&sp.TraceID, sp.SpanID) || v.observing {
		return
	}
	v.reader.Read(sp, &v.span)
	shape := v.assembly.shapes.of(&v.span)
	v.familiars.learn(v.reader, sp, &v.span, shape)
	v.take(shape)
}

// known notes a span as seen and tells whether it was before; then it is dealt with.
func (v *traceVisitor) known(trace *[16]byte, span [8]byte) bool {
	v.ahead.warm(v.horizon, &v.assembly.traces)
	fingerprint := Fingerprint(trace, number(span))
	at := v.assembly.now
	if v.observing {
		at = v.observed
	}
	known := v.horizon.Add(at, fingerprint)
	switch {
	case !known && v.firstSight != nil:
		v.firstSight(at, fingerprint)
	case known && !v.observing:
		v.span = Span{TraceID: *trace, ID: number(span), Service: v.reader.service}
		v.assembly.duplicate(&v.span, "")
	}
	return known
}

// take takes the span that was read.
func (v *traceVisitor) take(shape *shape) {
	v.span.Door = v.door
	v.reader.rejected.tell(v.rec)
	v.assembly.add(&v.span, shape)
}
