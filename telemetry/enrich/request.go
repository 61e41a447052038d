package enrich

import (
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
)

// statusError is STATUS_CODE_ERROR.
const statusError = 2

var errMalformed = errors.New("not an ExportTraceServiceRequest")

// each tells every field of a message: its number, its type, what is in it, and the
// bytes of all of it.
func each(message []byte, visit func(number protowire.Number, kind protowire.Type, content, field []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errMalformed
		}
		m := protowire.ConsumeFieldValue(number, kind, message[n:])
		if m < 0 {
			return errMalformed
		}
		content := message[n : n+m]
		if kind == protowire.BytesType {
			content, _ = protowire.ConsumeBytes(content)
		}
		if err := visit(number, kind, content, message[:n+m]); err != nil {
			return err
		}
		message = message[n+m:]
	}
	return nil
}

// within rewrites the occurrences of a message field, and gives the very bytes where
// edit gave back all of them.
func within(message []byte, child protowire.Number, edit func([]byte) ([]byte, error)) ([]byte, error) {
	var out []byte // nil while nothing differs
	at := 0
	err := each(message, func(number protowire.Number, kind protowire.Type, content, field []byte) error {
		at += len(field)
		edited := content
		if number == child && kind == protowire.BytesType {
			var err error
			if edited, err = edit(content); err != nil {
				return err
			}
			if !same(edited, content) {
				if out == nil {
					out = append(make([]byte, 0, len(message)+512), message[:at-len(field)]...)
				}
				out = protowire.AppendTag(out, child, protowire.BytesType)
				out = protowire.AppendBytes(out, edited)
				return nil
			}
		}
		if out != nil {
			out = append(out, field...)
		}
		return nil
	})
	if err != nil || out == nil {
		return message, err
	}
	return out, nil
}

// same tells whether two slices are the same memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// request adds to every span of a request what rules make of it. What does not
// decode comes back as it is: whoever takes it apart says so.
func request(body []byte, rules func(s *span)) []byte {
	out, err := within(body, requestResourceSpans, func(resource []byte) ([]byte, error) {
		return within(resource, resourceScopeSpans, func(scope []byte) ([]byte, error) {
			return within(scope, scopeSpans, func(message []byte) ([]byte, error) { return enriched(message, rules) })
		})
	})
	if err != nil {
		return body
	}
	return out
}
