package enrich

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of opentelemetry/proto/trace/v1/trace.proto and common.proto.
const (
	requestResourceSpans = 1
	resourceScopeSpans   = 2
	scopeSpans           = 2
	spanEnd              = 8
	spanAttributes       = 9
	spanEvents           = 11
	spanStatus           = 15
	eventTime            = 1
	eventName            = 2
	eventAttributes      = 3
	statusMessage        = 2
	statusCode           = 3
	keyValueKey          = 1
	keyValueValue        = 2
	anyString            = 1
	anyInt               = 3
	anyDouble            = 4
)

// statusError is STATUS_CODE_ERROR.
const statusError = 2

var errMalformed = errors.New("not an ExportTraceServiceRequest")

// part is a field of a message.
type part struct {
	number protowire.Number
	kind   protowire.Type
	// content is what is in it: of a length-delimited one without the length.
	content []byte
	// size is of all of it, with its tag.
	size int
}

// next reads the first field of a message; false where there is none, and then the
// message is malformed unless it is empty.
func next(message []byte) (p part, ok bool) {
	tag, n := uint64(0), 0
	if len(message) > 0 && message[0] < 0x80 {
		tag, n = uint64(message[0]), 1
	} else if tag, n = binary.Uvarint(message); n <= 0 {
		return part{}, false
	}
	p.number, p.kind = protowire.Number(tag>>3), protowire.Type(tag&7)
	if p.number <= 0 || tag>>3 > 1<<29-1 {
		return part{}, false
	}
	if p.kind != protowire.BytesType {
		m := protowire.ConsumeFieldValue(p.number, p.kind, message[n:])
		if m < 0 {
			return part{}, false
		}
		p.content, p.size = message[n:n+m], n+m
		return p, true
	}
	length, m := binary.Uvarint(message[n:])
	if m <= 0 || length > uint64(len(message)-n-m) {
		return part{}, false
	}
	p.size = n + m + int(length)
	p.content = message[n+m : p.size]
	return p, true
}

// within rewrites the occurrences of a message field, and gives the very bytes where
// edit gave back all of them.
func within(message []byte, child protowire.Number, edit func([]byte) ([]byte, error)) ([]byte, error) {
	var out []byte // nil while nothing differs
	for at := 0; at < len(message); {
		p, ok := next(message[at:])
		if !ok {
			return message, errMalformed
		}
		end := at + p.size
		edited := p.content
		if p.number == child && p.kind == protowire.BytesType {
			var err error
			if edited, err = edit(p.content); err != nil {
				return message, err
			}
		}
		switch {
		case !same(edited, p.content):
			if out == nil {
				out = append(make([]byte, 0, len(message)+512), message[:at]...)
			}
			out = protowire.AppendTag(out, child, protowire.BytesType)
			out = protowire.AppendBytes(out, edited)
		case out != nil:
			out = append(out, message[at:end]...)
		}
		at = end
	}
	if out == nil {
		return message, nil
	}
	return out, nil
}

// same tells whether two slices are the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
