package runs

import (
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// The field numbers of OTLP beside those of a span's ids, as far as content stands
// under them.
const (
	fieldEvent         = 11 // of a span
	fieldEventContent  = 3  // of an event: an attribute
	fieldStatusMessage = 2
	fieldLogBody       = 5
	fieldLogAttribute  = 6
	fieldLogTrace      = 9
	fieldKey           = 1 // of an attribute
	fieldValue         = 2
	fieldArray         = 5 // of an AnyValue
	fieldKVList        = 6
	fieldRaw           = 7
)

// eraser overwrites what records hold of some traces, with a letter for each byte,
// so that nothing changes its length. What spans are joined, priced and counted by
// stays.
type eraser struct {
	traces map[[16]byte]bool
	runs   map[understand.RunID]bool // by which judgements and native runs name them
	user   string                    // whose posts are erased too, "" for nobody's
	native func(body []byte, erased func(run, trace [16]byte) bool) bool
	any    bool // something changed
}

// blank erases in a record's body; false if nothing changed.
func (e *eraser) blank(kind journal.Kind, body []byte) bool {
	e.any = false
	switch {
	case kind.Spans():
		e.each(body, 0, e.span)
	case kind == journal.Logs || kind == journal.Posts:
		e.each(body, 0, e.log)
	case kind == journal.Runs:
		return e.native(body, func(run, trace [16]byte) bool {
			return e.traces[trace] || e.runs[run] || e.traces[run]
		})
	}
	return e.any
}

// each tells the spans or log records of a request, which nest alike.
func (e *eraser) each(b []byte, depth int, see func(one []byte)) {
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch {
		case part == nil || !leads(number, depth):
		case depth == 2:
			see(part)
		default:
			e.each(part, depth+1, see)
		}
	}
}

func (e *eraser) span(b []byte) {
	if !e.traces[traceOf(b)] {
		return
	}
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch number {
		case fieldAttribute:
			e.attribute(part, keepsIdentity)
		case fieldEvent:
			e.inside(part, fieldEventContent, func(a []byte) { e.attribute(a, keepsIdentity) })
		case fieldStatus:
			e.inside(part, fieldStatusMessage, e.fill)
		}
	}
}

// log erases a record of a judgement or a post. What a judgement is known by stays.
func (e *eraser) log(b []byte) {
	ours := false
	for rest := b; len(rest) > 0; {
		number, part, next := field(rest)
		rest = next
		switch number {
		case fieldLogTrace:
			ours = ours || len(part) == 16 && e.traces[[16]byte(part)]
		case fieldLogAttribute:
			if run := runName(part); run != nil {
				ours = ours || e.runs[understand.ParseRunID(run)]
			}
			ours = ours || e.user != "" && names(part, e.user)
		}
	}
	for ours && len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch number {
		case fieldLogAttribute:
			e.attribute(part, keepsUnsaid)
		case fieldLogBody:
			e.value(part)
		}
	}
}

// names tells whether an attribute names a person as given.
func names(attribute []byte, user string) (named bool) {
	var key []byte
	for len(attribute) > 0 {
		number, part, rest := field(attribute)
		attribute = rest
		switch number {
		case fieldKey:
			key = part
		case fieldValue:
			_, text, _ := field(part)
			named = string(text) == user
		}
	}
	return named && semconv.SenseOf(key) == semconv.Personal
}

// inside tells the parts of a number.
func (e *eraser) inside(b []byte, wanted int, see func(part []byte)) {
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		if number == wanted && part != nil {
			see(part)
		}
	}
}

func keepsIdentity(s semconv.Sense) bool { return s == semconv.Identity }

func keepsUnsaid(s semconv.Sense) bool { return s == semconv.Identity || s == semconv.Unsaid }

func (e *eraser) attribute(b []byte, keeps func(semconv.Sense) bool) {
	var key, value []byte
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch number {
		case fieldKey:
			key = part
		case fieldValue:
			value = part
		}
	}
	if !keeps(semconv.SenseOf(key)) {
		e.value(value)
	}
}

// value erases the texts of an AnyValue, and leaves numbers.
func (e *eraser) value(b []byte) {
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch number {
		case fieldText, fieldRaw:
			e.fill(part)
		case fieldArray:
			e.inside(part, 1, e.value)
		case fieldKVList:
			e.inside(part, 1, func(pair []byte) { e.inside(pair, fieldValue, e.value) })
		}
	}
}

func (e *eraser) fill(text []byte) {
	for i := range text {
		e.any = e.any || text[i] != '*'
		text[i] = '*'
	}
}

// collected gathers by what the traces' spans are named elsewhere, and the traces of a
// user.
type collected struct {
	e *eraser
}

// Resource, Scope and Span are called by the scanner.
func (n *collected) Resource(*otlp.Resource) {}

// Scope is called by the scanner.
func (n *collected) Scope(*otlp.Scope) {}

// Span is called by the scanner.
func (n *collected) Span(sp *otlp.Span) {
	if n.e.user != "" {
		for i := range sp.Attributes {
			a := &sp.Attributes[i]
			if a.Value.Type == otlp.String && string(a.Value.Bytes) == n.e.user && semconv.SenseOf(a.Key) == semconv.Personal {
				n.e.traces[sp.TraceID] = true
			}
		}
	}
	if !n.e.traces[sp.TraceID] {
		return
	}
	n.e.runs[sp.TraceID] = true
	n.e.runs[spanRun(sp.SpanID)] = true
	for _, name := range [...]string{semconv.LSSpanID, semconv.TreqRunID} {
		if id := attribute(sp.Attributes, name); len(id) > 0 {
			n.e.runs[understand.ParseRunID(id)] = true
		}
	}
}
