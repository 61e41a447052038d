package runs

import "encoding/binary"

// sliceOf gives an encoded ExportTraceServiceRequest with nothing but the spans of
// one trace, their resources and scopes.
func sliceOf(body []byte, trace [16]byte) []byte {
	s := slicer{keep: func(id *[16]byte) bool { return *id == trace }}
	return s.level(nil, body, 0)
}

// slicer copies the levels above the spans: 0 is the request, 1 the resource's, 2
// the scope's.
type slicer struct {
	keep func(trace *[16]byte) bool
	any  bool // the level copied last holds a span that is kept
	// inner is what is copied of the levels below, before their lengths are known. It is
	// used again.
	inner [2][]byte
}

func (s *slicer) level(dst, b []byte, depth int) []byte {
	holds := false
	for len(b) > 0 {
		number, part, rest := field(b)
		whole := b[:len(b)-len(rest)]
		b = rest
		switch {
		case !leads(number, depth) || part == nil:
			dst = append(dst, whole...)
		case depth == 2:
			if id := traceOf(part); s.keep(&id) {
				dst = append(dst, whole...)
				holds = true
			}
		default:
			inner := s.level(s.inner[depth][:0], part, depth+1)
			if s.inner[depth] = inner; s.any {
				dst = binary.AppendUvarint(dst, uint64(number)<<3|wireLen)
				dst = binary.AppendUvarint(dst, uint64(len(inner)))
				dst = append(dst, inner...)
				holds = true
			}
		}
	}
	s.any = holds
	return dst
}

// leads tells whether a field of a level leads to spans.
func leads(number, depth int) bool {
	switch depth {
	case 0:
		return number == fieldResourceSpans
	case 1:
		return number == fieldScopeSpans || number == fieldScopeSpansOld
	}
	return number == fieldSpan
}

// traceOf gives the trace id of an encoded span.
func traceOf(span []byte) (id [16]byte) {
	for len(span) > 0 {
		number, part, rest := field(span)
		span = rest
		if number == fieldTraceID {
			copy(id[:], part)
			break // it comes first, and what follows is long
		}
	}
	return id
}
