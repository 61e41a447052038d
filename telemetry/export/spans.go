package export

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of opentelemetry/proto/trace/v1/trace.proto and common.proto.
const (
	requestResourceSpans = 1
	resourceScopeSpans   = 2
	scopeSpans           = 2
	spanTraceID          = 1
	spanAttributes       = 9
	keyValueKey          = 1
	keyValueValue        = 2
	anyValueString       = 1
)

var errMalformed = errors.New("not an ExportTraceServiceRequest")

// rewrite copies a message field by field. Each occurrence of the message field
// child goes through edit, which gives what to write instead, or false to leave
// it out; everything else is copied as it is.
func rewrite(message []byte, child protowire.Number, edit func([]byte) ([]byte, bool, error)) ([]byte, error) {
	out := make([]byte, 0, len(message))
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, errMalformed
		}
		m := protowire.ConsumeFieldValue(number, kind, message[n:])
		if m < 0 {
			return nil, errMalformed
		}
		if number != child || kind != protowire.BytesType {
			out = append(out, message[:n+m]...)
			message = message[n+m:]
			continue
		}
		body, _ := protowire.ConsumeBytes(message[n:])
		edited, keep, err := edit(body)
		if err != nil {
			return nil, err
		}
		if keep {
			out = protowire.AppendTag(out, child, protowire.BytesType)
			out = protowire.AppendBytes(out, edited)
		}
		message = message[n+m:]
	}
	return out, nil
}

// selectSpans gives the request with only the spans that keep wants, in a buffer
// of its own, and their number. keep is told each span in order. The bytes of
// resources, scopes and spans stay as they are; a resource or scope that had
// spans and keeps none goes with them.
func selectSpans(request []byte, keep func(span []byte) bool) ([]byte, int64, error) {
	var kept int64
	out, err := rewrite(request, requestResourceSpans, func(resource []byte) ([]byte, bool, error) {
		before := kept
		edited, err := rewrite(resource, resourceScopeSpans, func(scope []byte) ([]byte, bool, error) {
			before := kept
			edited, err := rewrite(scope, scopeSpans, func(span []byte) ([]byte, bool, error) {
				if !keep(span) {
					return nil, false, nil
				}
				kept++
				return span, true, nil
			})
			return edited, kept > before, err
		})
		return edited, kept > before, err
	})
	return out, kept, err
}

// splitSpans gives the request with its first n spans, and with the others.
func splitSpans(request []byte, n int64) (left, right []byte, err error) {
	var i int64
	if left, _, err = selectSpans(request, func([]byte) bool { i++; return i <= n }); err != nil {
		return nil, nil, err
	}
	i = 0
	right, _, err = selectSpans(request, func([]byte) bool { i++; return i > n })
	return left, right, err
}

// countSpans gives the number of spans of the request.
func countSpans(request []byte) (n int64, err error) {
	err = eachSpan(request, func([]byte) { n++ })
	return n, err
}

// eachSpan tells every span of the request in order.
func eachSpan(request []byte, visit func(span []byte)) error {
	return eachField(request, requestResourceSpans, func(resource []byte) error {
		return eachField(resource, resourceScopeSpans, func(scope []byte) error {
			return eachField(scope, scopeSpans, func(span []byte) error {
				visit(span)
				return nil
			})
		})
	})
}

// eachField tells every occurrence of a message, string or bytes field.
func eachField(message []byte, field protowire.Number, visit func([]byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errMalformed
		}
		m := protowire.ConsumeFieldValue(number, kind, message[n:])
		if m < 0 {
			return errMalformed
		}
		if number == field && kind == protowire.BytesType {
			body, _ := protowire.ConsumeBytes(message[n:])
			if err := visit(body); err != nil {
				return err
			}
		}
		message = message[n+m:]
	}
	return nil
}

// lastField gives the last occurrence of a message, string or bytes field, which
// is the one that counts; nil if there is none.
func lastField(message []byte, field protowire.Number) []byte {
	var last []byte
	_ = eachField(message, field, func(b []byte) error {
		last = b
		return nil
	})
	return last
}

// stringAttribute gives the text of a span's attribute, "" if it has none.
func stringAttribute(span []byte, key string) string {
	var text string
	_ = eachField(span, spanAttributes, func(attribute []byte) error {
		if string(lastField(attribute, keyValueKey)) == key {
			text = string(lastField(lastField(attribute, keyValueValue), anyValueString))
		}
		return nil
	})
	return text
}
