package runs

import (
	"encoding/binary"
	"math"

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
	fieldStatus        = 15
	fieldText          = 1 // of an AnyValue
	fieldDouble        = 4 // of an AnyValue
	fieldStatusCode    = 3
	statusError        = 2
)

// eachSpan tells the ids of every span of an encoded ExportTraceServiceRequest:
// the trace's, the span's, and the text by which a caller names the run, nil where
// the span carries none. The bytes alias the body.
//
// The doors have checked the body and the journal its sum, so this does not check
// again: it steps over everything else by length, which costs a tenth of a scan.
// What does not decode ends the walk.
//
// notable tells that the span failed, or that a score below lowSimilarity stands in
// an attribute of its own.
func eachSpan(body []byte, see func(trace, span, run []byte, notable bool)) {
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

func seeSpan(b []byte, see func(trace, span, run []byte, notable bool)) {
	var trace, span, run []byte
	notable := false
	// Nearly every encoder writes the two ids first.
	if len(b) >= 28 && b[0] == fieldTraceID<<3|wireLen && b[1] == 16 && b[18] == fieldSpanID<<3|wireLen && b[19] == 8 {
		trace, span, b = b[2:18:18], b[20:28:28], b[28:]
	}
	for len(b) > 0 {
		// Most fields are attributes of fewer than 16 KiB, and most of those are neither
		// the name of a run nor a score: they are told by the last byte of their names.
		if b[0] == fieldAttribute<<3|wireLen && len(b) > 4 {
			n, at := int(b[1]), 2
			if n >= 0x80 {
				n, at = n&0x7f|int(b[2])<<7, 3
			}
			if n < 0x80<<7 && n <= len(b)-at {
				part := b[at : at+n : at+n]
				b = b[at+n:]
				if n < 2 || part[0] != 1<<3|wireLen || int(part[1])+2 > n {
					continue
				}
				switch part[1+int(part[1])] {
				case lastOfRunName:
					if name := runName(part); name != nil {
						run = name
					}
				case lastOfScore:
					notable = notable || isScore(part) && scoresLow(part)
				}
				continue
			}
		}
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
			} else if isScore(part) {
				notable = notable || scoresLow(part)
			}
		case fieldStatus:
			notable = notable || failed(part)
		}
	}
	if len(trace) == 16 && len(span) == 8 {
		see(trace, span, run, notable)
	}
}

// The last bytes of the names that runName and isScore know.
const (
	lastOfRunName = 'd'
	lastOfScore   = 'e'
)

// field takes one field off b. part is the content of a length-delimited field,
// nil for any other. number and rest are 0 and nil where b does not decode.
func field(b []byte) (number int, part, rest []byte) {
	tag, i := varint(b, 0)
	if i < 0 {
		return 0, nil, nil
	}
	number = int(tag >> 3)
	switch tag & 7 {
	case wireVarint:
		_, i = varint(b, i)
	case wireI64:
		i += 8
	case wireI32:
		i += 4
	case wireLen:
		n, at := varint(b, i)
		if at < 0 || n > uint64(len(b)-at) {
			return 0, nil, nil
		}
		end := at + int(n)
		return number, b[at:end:end], b[end:]
	default:
		return 0, nil, nil
	}
	if i < 0 || i > len(b) {
		return 0, nil, nil
	}
	return number, nil, b[i:]
}

// The wire types of protobuf.
const (
	wireVarint = 0
	wireI64    = 1
	wireLen    = 2
	wireI32    = 5
)

// varint reads a number at i and gives the place behind it, -1 if there is none.
func varint(b []byte, i int) (n uint64, at int) {
	if i < len(b) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	n, size := binary.Uvarint(b[i:])
	if size <= 0 {
		return 0, -1
	}
	return n, i + size
}

// runName gives the text of an attribute that names the run, nil for any other.
// Encoders write fields in the order of their numbers, so the key comes first.
func runName(attribute []byte) []byte {
	if len(attribute) < 2 || attribute[0] != 1<<3|wireLen {
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

// failed tells whether an encoded Status is that of an error.
func failed(status []byte) bool {
	for len(status) > 0 {
		number, _, rest := field(status)
		if number == fieldStatusCode {
			code, _ := varint(status, 1)
			return code == statusError
		}
		status = rest
	}
	return false
}

// isScore tells whether an attribute's name ends as those of scores do.
func isScore(attribute []byte) bool {
	const end = "score"
	if len(attribute) < 2 || attribute[0] != 1<<3|wireLen {
		return false
	}
	n := 2 + int(attribute[1])
	return n >= 2+len(end) && n <= len(attribute) && attribute[1] < 0x80 && string(attribute[n-len(end):n]) == end
}

// scoresLow tells whether the value of a score is a similarity below lowSimilarity.
func scoresLow(attribute []byte) bool {
	_, value, _ := field(attribute[2+int(attribute[1]):])
	if len(value) != 9 || value[0] != fieldDouble<<3|wireI64 {
		return false
	}
	score := math.Float64frombits(binary.LittleEndian.Uint64(value[1:]))
	return score >= 0 && score < lowSimilarity
}
