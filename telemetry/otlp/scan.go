package otlp

import "treq/telemetry"

// keep is the largest number of attributes or events whose room a Scanner keeps
// for the next scan, so that one hostile span does not cost memory for good.
const keep = 1024

// Scanner reads encoded export requests in place. It allocates nothing once its
// slices have grown to the usual number of attributes. The zero value is ready; a
// Scanner may be used again and again, by one goroutine at a time.
//
// It accepts exactly the requests that CheckTraces or CheckLogs accept and validates
// while it walks: of a malformed request the visitor may have been told a part
// before the error is returned. What the visitor gets aliases the request.
type Scanner struct {
	resource Resource
	scope    Scope
	span     Span
	record   LogRecord
	herald   Herald  // the visitor, if it wants to know ids ahead
	skimmer  Skimmer // the visitor, if it may know spans unscanned
}

// Herald is a TraceVisitor that is told the ids of a scope's spans before it is
// told the spans, so that what it has to look up by them is on its way from
// memory meanwhile. It is a hint: ids may be missing, and spans may turn out to be
// malformed. Ids alias the scanned message.
type Herald interface {
	Herald(trace *[16]byte, span *[8]byte)
}

// Traces tells v what the encoded ExportTraceServiceRequest holds. Spans with ids of
// wrong length are told with zero ids. An error is a *telemetry.Error of kind
// Invalid or TooLarge that names the fault.
func (s *Scanner) Traces(body []byte, v TraceVisitor) error {
	s.herald, _ = v.(Herald)
	s.skimmer, _ = v.(Skimmer)
	ok := s.traces(body, v)
	s.herald, s.skimmer = nil, nil
	s.release()
	if ok {
		return nil
	}
	_, err := CheckTraces(body)
	return explained(err)
}

// Logs tells v what the encoded ExportLogsServiceRequest holds; the rules of Traces
// hold, but that an id of wrong length is an error.
func (s *Scanner) Logs(body []byte, v LogVisitor) error {
	ok := s.logs(body, v)
	s.release()
	if ok {
		return nil
	}
	_, err := CheckLogs(body)
	return explained(err)
}

// explained gives the check's error, which names the fault that the walk only met.
func explained(err error) error {
	if err == nil {
		return telemetry.Errorf(telemetry.Invalid, "malformed OTLP")
	}
	return err
}

// release lets go of the scanned message.
func (s *Scanner) release() {
	s.resource.Attributes = released(s.resource.Attributes)
	s.span.Attributes = released(s.span.Attributes)
	s.span.event.Attributes = released(s.span.event.Attributes)
	s.record.Attributes = released(s.record.Attributes)
	s.span.events = released(s.span.events)
	s.span = Span{Attributes: s.span.Attributes, events: s.span.events, event: Event{Attributes: s.span.event.Attributes}}
	s.record = LogRecord{Attributes: s.record.Attributes}
	s.scope = Scope{}
}

func released[T any](list []T) []T {
	if cap(list) > keep {
		return nil
	}
	clear(list[:cap(list)])
	return list[:0]
}

func (s *Scanner) traces(b []byte, v TraceVisitor) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		if tag != 1<<3|wireLen {
			if i = skip(b, i, tag, 1<<1); i < 0 {
				return false
			}
			continue
		}
		if part, i = chunk(b, i); i < 0 || !s.resourceSpans(part, v) {
			return false
		}
	}
	return true
}

func (s *Scanner) resourceSpans(b []byte, v TraceVisitor) bool {
	current, legacy, ok := s.locate(b)
	if !ok {
		return false
	}
	v.Resource(&s.resource)
	var tag uint64
	var part []byte
	for i := 0; i < len(b) && current+legacy > 0; {
		tag, i = varint(b, i)
		if tag != 2<<3|wireLen && tag != legacyNumber<<3|wireLen {
			i = skipWire(b, i, int(tag&7))
			continue
		}
		part, i = chunk(b, i)
		if current > 0 && tag>>3 == legacyNumber {
			if !valid(messages.scopeSpans, part, false) {
				return false
			}
			continue
		}
		if !s.scopeSpans(part, v) {
			return false
		}
	}
	return true
}

// locate validates the fields of a ResourceSpans or ResourceLogs, reads the
// resource wherever it stands, and counts the current and the legacy scopes.
func (s *Scanner) locate(b []byte) (current, legacy int, ok bool) {
	s.resource.Attributes = s.resource.Attributes[:0]
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return 0, 0, false
		}
		switch tag {
		case 1<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !s.readResource(part) {
				return 0, 0, false
			}
		case 2<<3 | wireLen:
			current++
			_, i = chunk(b, i)
		case 3<<3 | wireLen:
			_, i = chunk(b, i)
		case legacyNumber<<3 | wireLen:
			legacy++
			_, i = chunk(b, i)
		default:
			if tag>>3 == legacyNumber {
				return 0, 0, false
			}
			i = skip(b, i, tag, 1<<1|1<<2|1<<3)
		}
		if i < 0 {
			return 0, 0, false
		}
	}
	return current, legacy, true
}

func (s *Scanner) readResource(b []byte) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 {
				return false
			}
			if s.resource.Attributes = reserve(s.resource.Attributes, b[i:], tag); !appendAttribute(&s.resource.Attributes, part, 1) {
				return false
			}
		case 2<<3 | wireVarint:
			_, i = varint(b, i)
		case 3<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !valid(messages.resource.byNumber[3].message, part, false) {
				return false
			}
		default:
			i = skip(b, i, tag, 1<<1|1<<2|1<<3)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

func (s *Scanner) scopeSpans(b []byte, v TraceVisitor) bool {
	items, ok := s.locateScope(b)
	if !ok {
		return false
	}
	v.Scope(&s.scope)
	var tag uint64
	var part []byte
	for i := 0; items > 0; {
		tag, i = varint(b, i)
		if tag != 2<<3|wireLen {
			i = skipWire(b, i, int(tag&7))
			continue
		}
		part, i = chunk(b, i)
		items--
		if s.skimmer != nil && s.skimmer.Skim(part) {
			continue
		}
		if !s.readSpan(part) {
			return false
		}
		v.Span(&s.span)
	}
	return true
}

// locateScope validates the fields of a ScopeSpans or ScopeLogs, reads the scope
// wherever it stands, and counts the items.
func (s *Scanner) locateScope(b []byte) (items int, ok bool) {
	s.scope = Scope{}
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return 0, false
		}
		switch tag {
		case 1<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !s.readScope(part) {
				return 0, false
			}
		case 2<<3 | wireLen:
			items++
			part, i = chunk(b, i)
			// The ids are a span's first fields, and nearly every encoder writes them so.
			if s.herald != nil && len(part) >= 28 && part[0] == 1<<3|wireLen && part[1] == 16 &&
				part[18] == 2<<3|wireLen && part[19] == 8 {
				s.herald.Herald((*[16]byte)(part[2:18]), (*[8]byte)(part[20:28]))
			}
		case 3<<3 | wireLen:
			_, i = chunk(b, i)
		default:
			i = skip(b, i, tag, 1<<1|1<<2|1<<3)
		}
		if i < 0 {
			return 0, false
		}
	}
	return items, true
}

func (s *Scanner) readScope(b []byte) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireLen:
			s.scope.Name, i = chunk(b, i)
		case 2<<3 | wireLen:
			s.scope.Version, i = chunk(b, i)
		case 3<<3 | wireLen:
			var a Attribute
			if part, i = chunk(b, i); i < 0 || !readKeyValue(part, &a, 1) {
				return false
			}
		case 4<<3 | wireVarint:
			_, i = varint(b, i)
		default:
			i = skip(b, i, tag, 1<<1|1<<2|1<<3|1<<4)
		}
		if i < 0 {
			return false
		}
	}
	return true
}
