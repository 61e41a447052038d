package otlp

import (
	"bytes"
	"unicode/utf8"
)

// replacement stands for what is not UTF-8.
var replacement = []byte("\uFFFD")

// TracesInUTF8 gives an encoded ExportTraceServiceRequest with U+FFFD for every run of
// bytes in a text that are not UTF-8: SDKs that cut texts at a number of bytes send
// such, and protobuf's strict readers refuse a whole request for one. It gives body
// itself, and false, where nothing is to be replaced. Body must have passed CheckTraces.
func TracesInUTF8(body []byte) ([]byte, bool) {
	if textsValid(body, messages.traces) {
		return body, false
	}
	return mendTexts(make([]byte, 0, len(body)+64), body, messages.traces), true
}

// texts calls each with the texts and the messages in b, which is an m, until it gives false.
func texts(b []byte, m *message, each func(f *field, part []byte, start, end int) bool) {
	var tag uint64
	var part []byte
	for i := 0; i >= 0 && i < len(b); {
		start := i
		if tag, i = varint(b, i); i < 0 {
			return
		}
		f := m.lookup(tag >> 3)
		if f == nil || uint8(tag&7) != wireLen || f.kind != kindString && f.kind != kindMessage {
			i = skip(b, i, tag, 0)
			continue
		}
		if part, i = chunk(b, i); i < 0 || !each(f, part, start, i) {
			return
		}
	}
}

func textsValid(b []byte, m *message) (valid bool) {
	valid = true
	texts(b, m, func(f *field, part []byte, _, _ int) bool {
		valid = partValid(f, part)
		return valid
	})
	return valid
}

func partValid(f *field, part []byte) bool {
	if f.kind == kindString {
		return utf8.Valid(part)
	}
	return textsValid(part, f.message)
}

// mendTexts appends b, which is an m, to dst. What is sound in it is copied as it is.
func mendTexts(dst, b []byte, m *message) []byte {
	copied := 0
	texts(b, m, func(f *field, part []byte, start, end int) bool {
		if partValid(f, part) {
			return true
		}
		dst = append(dst, b[copied:start]...)
		copied = end
		if f.kind == kindString {
			dst = appendText(dst, f.number, bytes.ToValidUTF8(part, replacement))
			return true
		}
		var at int
		dst, at = openMessage(dst, f.number, 2)
		dst = closeMessage(mendTexts(dst, part, f.message), at, 2)
		return true
	})
	return append(dst, b[copied:]...)
}
