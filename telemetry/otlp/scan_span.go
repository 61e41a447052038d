package otlp

// readSpan reads one Span into s.span.
func (s *Scanner) readSpan(b []byte) bool {
	sp := &s.span
	sp.reset(b)
	var tag, n uint64
	var part []byte
	for i := 0; i < len(b); {
		// Most fields are attributes, of fewer than 16 KiB.
		if b[i] == 9<<3|wireLen && i+2 < len(b) {
			n, at := int(b[i+1]), i+2
			if n >= 0x80 {
				n, at = n&0x7f|int(b[at])<<7, at+1
			}
			if n < 0x80<<7 && n <= len(b)-at {
				if len(sp.Attributes) == keep {
					sp.Attributes = reserve(sp.Attributes, b[at+n:], 9<<3|wireLen)
				}
				if !appendAttribute(&sp.Attributes, b[at:at+n], 1) {
					return false
				}
				i = at + n
				continue
			}
		}
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireLen:
			part, i = chunk(b, i)
			sp.TraceID = traceID(part)
		case 2<<3 | wireLen:
			part, i = chunk(b, i)
			sp.SpanID = spanID(part)
		case 3<<3 | wireLen:
			_, i = chunk(b, i)
		case 4<<3 | wireLen:
			part, i = chunk(b, i)
			sp.ParentID = spanID(part)
		case 5<<3 | wireLen:
			sp.Name, i = chunk(b, i)
		case 6<<3 | wireVarint:
			n, i = varint(b, i)
			sp.Kind = SpanKind(known(n, uint64(KindConsumer)))
		case 7<<3 | wireI64:
			sp.Start, i = fixed64(b, i)
		case 8<<3 | wireI64:
			sp.End, i = fixed64(b, i)
		case 9<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 {
				return false
			}
			if sp.Attributes = reserve(sp.Attributes, b[i:], tag); !appendAttribute(&sp.Attributes, part, 1) {
				return false
			}
		case 10<<3 | wireVarint, 12<<3 | wireVarint, 14<<3 | wireVarint:
			_, i = varint(b, i)
		case 11<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !valid(messages.event, part, true) {
				return false
			}
			if len(sp.events) < MostListed {
				sp.events = append(sp.events, part)
			}
		case 13<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !valid(messages.link, part, true) {
				return false
			}
		case 15<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !sp.readStatus(part) {
				return false
			}
		case 16<<3 | wireI32:
			i = skipWire(b, i, wireI32)
		default:
			i = skip(b, i, tag, 1<<17-2)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

// reset makes the span as it was new, but for the lists that are used again. It sets
// fields one by one: a literal would be made elsewhere and copied.
func (sp *Span) reset(raw []byte) {
	sp.TraceID, sp.SpanID, sp.ParentID = [16]byte{}, [8]byte{}, [8]byte{}
	sp.Name, sp.StatusMessage = nil, nil
	sp.Kind, sp.Status = KindUnspecified, StatusUnset
	sp.Start, sp.End = 0, 0
	sp.Attributes, sp.events = sp.Attributes[:0], sp.events[:0]
	sp.Raw = raw
}

func (sp *Span) readStatus(b []byte) bool {
	var tag, n uint64
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 2<<3 | wireLen:
			sp.StatusMessage, i = chunk(b, i)
		case 3<<3 | wireVarint:
			n, i = varint(b, i)
			sp.Status = StatusCode(known(n, uint64(StatusError)))
		default:
			i = skip(b, i, tag, 1<<2|1<<3)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

// EachEvent calls yield with the events of a span that is being visited, in order,
// until yield gives false. The event is used again for the next one. It has the
// shape of a range-over-func iterator: for e := range span.EachEvent.
func (sp *Span) EachEvent(yield func(*Event) bool) {
	for _, b := range sp.events {
		sp.event = Event{Attributes: sp.event.Attributes[:0]}
		if !sp.event.read(b) || !yield(&sp.event) {
			return
		}
	}
}

func (e *Event) read(b []byte) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireI64:
			e.Time, i = fixed64(b, i)
		case 2<<3 | wireLen:
			e.Name, i = chunk(b, i)
		case 3<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 {
				return false
			}
			if e.Attributes = reserve(e.Attributes, b[i:], tag); !appendAttribute(&e.Attributes, part, shallow) {
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

// known gives an enum's number, 0 for one that the protocol does not name. Enums
// are of 32 bits: what lies above is dropped, as decoders do.
func known(n, most uint64) uint64 {
	if n = uint64(uint32(n)); n <= most {
		return n
	}
	return 0
}

func traceID(b []byte) (id [16]byte) {
	if len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

func spanID(b []byte) (id [8]byte) {
	if len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}
