package otlp

// ResourceData is a resource with its scopes, to be encoded by AppendTraceRequest.
type ResourceData struct {
	Attributes []KV
	Scopes     []ScopeData
}

// ScopeData is an instrumentation scope with its spans.
type ScopeData struct {
	Name, Version string
	Spans         []SpanData
}

// SpanData is a span to be encoded. Zero fields are left out.
type SpanData struct {
	TraceID       [16]byte
	SpanID        [8]byte
	ParentID      [8]byte
	Name          string
	Kind          SpanKind
	Start, End    uint64 // Unix nanoseconds
	Attributes    []KV
	Events        []EventData
	Status        StatusCode
	StatusMessage string
}

// EventData is a span event to be encoded.
type EventData struct {
	Time       uint64 // Unix nanoseconds
	Name       string
	Attributes []KV
}

// AppendTraceRequest appends an encoded ExportTraceServiceRequest. Requests concatenate:
// appending to one adds to it.
func AppendTraceRequest(dst []byte, resources ...ResourceData) []byte {
	for i := range resources {
		r := &resources[i]
		var at int
		dst, at = openMessage(dst, 1, 3)
		dst = appendResource(dst, r.Attributes)
		for j := range r.Scopes {
			s := &r.Scopes[j]
			var inner int
			dst, inner = openMessage(dst, 2, 3)
			dst = appendScope(dst, s.Name, s.Version)
			for k := range s.Spans {
				var span int
				dst, span = openMessage(dst, 2, 2)
				dst = closeMessage(AppendSpan(dst, &s.Spans[k]), span, 2)
			}
			dst = closeMessage(dst, inner, 3)
		}
		dst = closeMessage(dst, at, 3)
	}
	return dst
}

// AppendSpan appends an encoded Span message, without tag and length.
func AppendSpan(dst []byte, s *SpanData) []byte {
	dst = appendID(dst, 1, s.TraceID[:])
	dst = appendID(dst, 2, s.SpanID[:])
	dst = appendID(dst, 4, s.ParentID[:])
	if s.Name != "" {
		dst = appendText(dst, 5, s.Name)
	}
	if s.Kind != KindUnspecified {
		dst = appendNumber(dst, 6, uint64(s.Kind))
	}
	if s.Start != 0 {
		dst = appendFixed64(dst, 7, s.Start)
	}
	if s.End != 0 {
		dst = appendFixed64(dst, 8, s.End)
	}
	dst = appendKeyValues(dst, 9, s.Attributes)
	var at int
	for i := range s.Events {
		dst, at = openMessage(dst, 11, 1)
		dst = closeMessage(appendEvent(dst, &s.Events[i]), at, 1)
	}
	if s.Status != StatusUnset || s.StatusMessage != "" {
		dst, at = openMessage(dst, 15, 1)
		if s.StatusMessage != "" {
			dst = appendText(dst, 2, s.StatusMessage)
		}
		if s.Status != StatusUnset {
			dst = appendNumber(dst, 3, uint64(s.Status))
		}
		dst = closeMessage(dst, at, 1)
	}
	return dst
}

func appendEvent(dst []byte, e *EventData) []byte {
	if e.Time != 0 {
		dst = appendFixed64(dst, 1, e.Time)
	}
	if e.Name != "" {
		dst = appendText(dst, 2, e.Name)
	}
	return appendKeyValues(dst, 3, e.Attributes)
}

func appendResource(dst []byte, attributes []KV) []byte {
	if len(attributes) == 0 {
		return dst
	}
	dst, at := openMessage(dst, 1, 2)
	return closeMessage(appendKeyValues(dst, 1, attributes), at, 2)
}

func appendScope(dst []byte, name, version string) []byte {
	if name == "" && version == "" {
		return dst
	}
	dst, at := openMessage(dst, 1, 1)
	if name != "" {
		dst = appendText(dst, 1, name)
	}
	if version != "" {
		dst = appendText(dst, 2, version)
	}
	return closeMessage(dst, at, 1)
}

// appendID leaves out an id that is zero.
func appendID(dst []byte, number uint32, id []byte) []byte {
	if zero(id) {
		return dst
	}
	return appendText(dst, number, id)
}
