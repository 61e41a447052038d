package runs

import (
	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// The field numbers of OTLP that lead to the ids of a span.
const (
	fieldResourceSpans = 1
	fieldScopeSpans    = 2
	fieldScopeSpansOld = 1000
	fieldSpan          = 2
	fieldTraceID       = 1
	fieldSpanID        = 2
	fieldAttribute     = 9
	fieldText          = 1 // of an AnyValue
)

// eachSpan tells the ids of every span of an encoded ExportTraceServiceRequest:
// the trace's, the span's, and the text by which a caller names the run, nil where
// the span carries none. The bytes alias the body.
//
// The doors have checked the body and the journal its sum, so this does not check
// again: it steps over everything else by length, which costs a tenth of a scan.
// What does not decode ends the walk.
func eachSpan(body []byte, see func(trace, span, run []byte)) {
	for len(body) > 0 {
		number, resource, rest := field(body)
		body = rest
		if number != fieldResourceSpans {
			continue
		}
		for len(resource) > 0 {
			number, scope, rest := field(resource)
			resource = rest
			if number != fieldScopeSpans && number != fieldScopeSpansOld {
				continue
			}
			for len(scope) > 0 {
				number, span, rest := field(scope)
				scope = rest
				if number == fieldSpan {
					seeSpan(span, see)
				}
			}
		}
	}
}

func seeSpan(b []byte, see func(trace, span, run []byte)) {
	var trace, span, run []byte
	for len(b) > 0 {
		number, part, rest := field(b)
		b = rest
		switch number {
		case fieldTraceID:
			trace = part
		case fieldSpanID:
			span = part
		case fieldAttribute:
			if name := runName(part); name != nil {
				run = name
			}
		}
	}
	if len(trace) == 16 && len(span) == 8 {
		see(trace, span, run)
	}
}

// field takes one field off b. part is the content of a length-delimited field,
// nil for any other. number and rest are 0 and nil where b does not decode.
func field(b []byte) (number protowire.Number, part, rest []byte) {
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, nil, nil
	}
	b = b[n:]
	if kind != protowire.BytesType {
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return 0, nil, nil
		}
		return number, nil, b[n:]
	}
	if part, n = protowire.ConsumeBytes(b); n < 0 {
		return 0, nil, nil
	}
	return number, part, b[n:]
}

// runName gives the text of an attribute that names the run, nil for any other.
// Encoders write fields in the order of their numbers, so the key comes first.
func runName(attribute []byte) []byte {
	if len(attribute) < 2 || attribute[0] != 1<<3|byte(protowire.BytesType) {
		return nil
	}
	switch n := int(attribute[1]); {
	case n == len(semconv.LSSpanID) && len(attribute) > 2+n && string(attribute[2:2+n]) == semconv.LSSpanID,
		n == len(semconv.TreqRunID) && len(attribute) > 2+n && string(attribute[2:2+n]) == semconv.TreqRunID:
		if _, value, _ := field(attribute[2+n:]); value != nil {
			if number, text, _ := field(value); number == fieldText {
				return text
			}
		}
	}
	return nil
}
