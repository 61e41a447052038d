package otlp

// CutTraces appends to dst an encoded ExportTraceServiceRequest without its spans of
// bad ids (see TracesCheck) and leaves every other byte as it is, but for the lengths
// of what encloses a cut span. Body must have passed CheckTraces and must not overlap dst.
func CutTraces(dst, body []byte) []byte {
	return cutLevel(dst, body, messages.traces)
}

// cutLevel copies a message; of the levels above the spans it copies the children
// that hold a bad span by cutting them, everything else as it is.
func cutLevel(dst, b []byte, m *message) []byte {
	copied := 0
	var tag uint64
	var part []byte
	for i := 0; i >= 0 && i < len(b); {
		start := i
		tag, i = varint(b, i)
		f := m.lookup(tag >> 3)
		if f == nil || f.kind != kindMessage || !leadsToSpans(f) {
			i = skipWire(b, i, int(tag&7))
			continue
		}
		if part, i = chunk(b, i); !holdsBad(part, f.message) {
			continue
		}
		dst = append(dst, b[copied:start]...)
		copied = i
		if !f.message.span {
			var at int
			dst, at = openMessage(dst, f.number, 3)
			dst = closeMessage(cutLevel(dst, part, f.message), at, 3)
		}
	}
	return append(dst, b[copied:]...)
}

func leadsToSpans(f *field) bool {
	m := f.message
	return m.span || m == messages.scopeSpans || m.legacy != nil
}

// holdsBad tells whether a span is bad, or a level above holds one that is.
func holdsBad(b []byte, m *message) bool {
	if m.span {
		c := checker{inSpan: true}
		return c.message(m, b, 0, false) == nil && c.span.bad()
	}
	var tag uint64
	var part []byte
	for i := 0; i >= 0 && i < len(b); {
		tag, i = varint(b, i)
		f := m.lookup(tag >> 3)
		if f == nil || f.kind != kindMessage || !leadsToSpans(f) {
			i = skipWire(b, i, int(tag&7))
			continue
		}
		if part, i = chunk(b, i); holdsBad(part, f.message) {
			return true
		}
	}
	return false
}
