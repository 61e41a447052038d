package otlp

// eventNameKey is the attribute that named a log event before the field did.
const eventNameKey = "event.name"

func (s *Scanner) logs(b []byte, v LogVisitor) bool {
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
		if part, i = chunk(b, i); i < 0 || !s.resourceLogs(part, v) {
			return false
		}
	}
	return true
}

func (s *Scanner) resourceLogs(b []byte, v LogVisitor) bool {
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
			if !valid(messages.scopeLogs, part, false) {
				return false
			}
			continue
		}
		if !s.scopeLogs(part, v) {
			return false
		}
	}
	return true
}

func (s *Scanner) scopeLogs(b []byte, v LogVisitor) bool {
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
		if !s.readRecord(part) {
			return false
		}
		v.LogRecord(&s.record)
		items--
	}
	return true
}

// readRecord reads one LogRecord into s.record.
func (s *Scanner) readRecord(b []byte) bool {
	r := &s.record
	*r = LogRecord{Attributes: r.Attributes[:0]}
	var tag, observed uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireI64:
			r.Time, i = fixed64(b, i)
		case 2<<3 | wireVarint, 7<<3 | wireVarint:
			_, i = varint(b, i)
		case 3<<3 | wireLen:
			r.SeverityText, i = chunk(b, i)
		case 5<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !readValue(part, &r.Body, 1) {
				return false
			}
		case 6<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 {
				return false
			}
			if r.Attributes = reserve(r.Attributes, b[i:], tag); !appendAttribute(&r.Attributes, part, 1) {
				return false
			}
		case 8<<3 | wireI32:
			i = skipWire(b, i, wireI32)
		case 9<<3 | wireLen:
			if part, i = chunk(b, i); len(part) != 0 && len(part) != 16 {
				return false
			}
			r.TraceID = traceID(part)
		case 10<<3 | wireLen:
			if part, i = chunk(b, i); len(part) != 0 && len(part) != 8 {
				return false
			}
			r.SpanID = spanID(part)
		case 11<<3 | wireI64:
			observed, i = fixed64(b, i)
		case 12<<3 | wireLen:
			r.EventName, i = chunk(b, i)
		default:
			i = skip(b, i, tag, (1<<13-2)&^(1<<4))
		}
		if i < 0 {
			return false
		}
	}
	if r.Time == 0 {
		r.Time = observed
	}
	if len(r.EventName) == 0 {
		r.EventName = eventName(r.Attributes)
	}
	return true
}

func eventName(attributes []Attribute) []byte {
	for i := range attributes {
		a := &attributes[i]
		if a.Value.Type == String && string(a.Key) == eventNameKey {
			return a.Value.Bytes
		}
	}
	return nil
}
