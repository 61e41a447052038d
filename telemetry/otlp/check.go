package otlp

// TracesCheck is what CheckTraces counted.
type TracesCheck struct {
	// Spans is the number of spans, the bad ones included.
	Spans int
	// BadIDs is how many of them have a zero or missing trace or span id, or an id
	// (their own, their parent's, a link's) of wrong length; CutTraces removes them.
	BadIDs int
	// Reversed is how many end before they start.
	Reversed int
	// Unended is how many have no end.
	Unended int
}

// CheckTraces validates an encoded ExportTraceServiceRequest as a whole and counts
// its spans. An error is a *telemetry.Error: Invalid for malformed bytes, TooLarge for
// values nested deeper than MaxDepth; its message names the place and the fault.
func CheckTraces(body []byte) (TracesCheck, error) {
	c := checker{}
	if f := c.message(messages.traces, body, 0, true); f != nil {
		return TracesCheck{}, f.err()
	}
	c.traces.Spans = c.items
	return c.traces, nil
}

// CheckLogs validates an encoded ExportLogsServiceRequest and gives the number of its
// records. Errors are as those of CheckTraces.
func CheckLogs(body []byte) (records int, err error) {
	return check(messages.logs, body)
}

// CheckMetrics validates an encoded ExportMetricsServiceRequest and gives the number
// of its data points. Errors are as those of CheckTraces.
func CheckMetrics(body []byte) (points int, err error) {
	return check(messages.metrics, body)
}

func check(m *message, body []byte) (items int, err error) {
	c := checker{}
	if f := c.message(m, body, 0, true); f != nil {
		return 0, f.err()
	}
	return c.items, nil
}

// valid tells whether b is a well-formed m. inSpan tolerates ids of wrong length.
func valid(m *message, b []byte, inSpan bool) bool {
	c := checker{inSpan: inSpan}
	return c.message(m, b, 0, false) == nil
}

// checker walks a request by the tables.
type checker struct {
	items  int
	traces TracesCheck
	inSpan bool
	span   spanFacts
}

// spanFacts is what the last span showed of itself.
type spanFacts struct {
	traceID, spanID bool // present and not zero
	badLength       bool
	start, end      uint64
}

// message walks a message. Items are counted only if counting.
func (c *checker) message(m *message, b []byte, depth int, counting bool) *fault {
	if m.value {
		if depth++; depth > MaxDepth {
			return tooDeep()
		}
	}
	countLegacy := counting
	if m.legacy != nil && counting && holds(b, 2) {
		countLegacy = false
	}
	var tag uint64
	for i := 0; i < len(b); {
		if m.span {
			if i = c.plainFields(b, i); i == len(b) {
				break
			}
		}
		start := i
		if tag, i = varint(b, i); i < 0 {
			return malformed("a truncated tag")
		}
		f := m.lookup(tag >> 3)
		if f == nil {
			if i = skip(b, i, tag, 0); i < 0 {
				return unknownFault(tag)
			}
			continue
		}
		next := i
		var bad *fault
		if uint8(tag&7) != f.wire {
			next, bad = c.otherWire(f, b, i, int(tag&7))
		} else if f.wire == wireLen {
			var part []byte
			if part, next = chunk(b, i); next < 0 {
				bad = malformed("a length that passes the end")
			} else if f.kind == kindMessage {
				if f.message == messages.keyValue && depth < MaxDepth && plainPair(part) {
					i = next
					continue
				}
				bad = c.child(f, part, depth, counting && (f.number != legacyNumber || countLegacy))
			} else if f.kind == kindID16 || f.kind == kindID8 {
				bad = c.id(f, part)
			}
		} else if next = skipWire(b, i, int(f.wire)); next < 0 {
			bad = malformed("a truncated number")
		} else if f.role != roleNone {
			c.time(f.role, b, i)
		}
		if bad != nil {
			return bad.within(f, b, start)
		}
		i = next
	}
	return nil
}

func (c *checker) child(f *field, part []byte, depth int, counting bool) *fault {
	if f.role == roleItem && counting {
		c.items++
	}
	if !f.message.span {
		return c.message(f.message, part, depth, counting)
	}
	c.inSpan, c.span = true, spanFacts{}
	bad := c.message(f.message, part, depth, counting)
	c.inSpan = false
	if bad == nil && counting {
		c.judge()
	}
	return bad
}

// judge counts what is wrong with the span just walked.
func (c *checker) judge() {
	if c.span.bad() {
		c.traces.BadIDs++
	}
	switch {
	case c.span.end == 0:
		c.traces.Unended++
	case c.span.end < c.span.start:
		c.traces.Reversed++
	}
}

func (s *spanFacts) bad() bool { return !s.traceID || !s.spanID || s.badLength }

func (c *checker) id(f *field, part []byte) *fault {
	length := 16
	if f.kind == kindID8 {
		length = 8
	}
	if len(part) != 0 && len(part) != length {
		if !c.inSpan {
			return malformed("an id of wrong length")
		}
		c.span.badLength = true
	}
	switch f.role {
	case roleTraceID:
		c.span.traceID = !zero(part)
	case roleSpanID:
		c.span.spanID = !zero(part)
	}
	return nil
}

func (c *checker) time(r role, b []byte, i int) {
	switch r {
	case roleStart:
		c.span.start, _ = fixed64(b, i)
	case roleEnd:
		c.span.end, _ = fixed64(b, i)
	}
}

// otherWire reads a field whose wire type is not that of a single value: a packed
// list, else a fault.
func (c *checker) otherWire(f *field, b []byte, i, wire int) (int, *fault) {
	if !f.repeated || wire != wireLen {
		return -1, malformed("the wrong wire type")
	}
	part, next := chunk(b, i)
	if next < 0 {
		return -1, malformed("a length that passes the end")
	}
	for j := 0; j < len(part); {
		if j = skipWire(part, j, int(f.wire)); j < 0 {
			return -1, malformed("a truncated number")
		}
	}
	return next, nil
}

// holds tells whether a message has a field of this number; the message may be malformed.
func holds(b []byte, number uint64) bool {
	var tag uint64
	for i := 0; i >= 0 && i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		if tag>>3 == number {
			return true
		}
		i = skipWire(b, i, int(tag&7))
	}
	return false
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
