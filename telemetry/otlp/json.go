package otlp

import (
	"fmt"
	"slices"

	"treq/telemetry"
)

// maxNesting bounds how deep objects and arrays of OTLP/JSON may nest: MaxDepth
// levels of AnyValue take four each, and some enclose them.
const maxNesting = 4*MaxDepth + 32

// TracesFromJSON appends to dst the encoded ExportTraceServiceRequest that body tells
// as OTLP/JSON, in one pass. Body must not overlap dst. An error is a *telemetry.Error
// of kind Invalid, or TooLarge for nesting, and names the place and the fault; what
// is returned then is dst with a part appended.
//
// Body is one JSON value after RFC 8259. Names are lowerCamelCase, or snake_case as in
// the protocol's files; unknown names are ignored; null is as if it was not there,
// as an element of a list it is an empty message. Ids are hexadecimal in any case;
// one of odd length becomes one byte, so that the check finds it bad. Other bytes are
// base64 in either alphabet, padded or not. Whole numbers are JSON numbers or decimal
// strings, doubles also "NaN", "Infinity" and "-Infinity", enums numbers or the names
// that the protocol gives them. Lone surrogates become U+FFFD; other bytes of strings are taken as they are.
// A name that repeats adds to lists and messages, and replaces everything else.
//
// What it makes may still fail CheckTraces for spans of bad ids.
func TracesFromJSON(dst, body []byte) ([]byte, error) {
	return transcode(messages.traces, dst, body)
}

// LogsFromJSON does for an ExportLogsServiceRequest what TracesFromJSON does.
func LogsFromJSON(dst, body []byte) ([]byte, error) {
	return transcode(messages.logs, dst, body)
}

// MetricsFromJSON does for an ExportMetricsServiceRequest what TracesFromJSON does.
func MetricsFromJSON(dst, body []byte) ([]byte, error) {
	return transcode(messages.metrics, dst, body)
}

func transcode(m *message, dst, body []byte) ([]byte, error) {
	t := transcoder{src: body, dst: slices.Grow(dst, len(body)/2)}
	ok := t.request(m)
	if ok {
		return t.dst, nil
	}
	if t.tooDeep {
		return t.dst, telemetry.Errorf(telemetry.TooLarge, "OTLP/JSON nested too deep at byte %d", t.pos)
	}
	return t.dst, telemetry.Errorf(telemetry.Invalid, "malformed OTLP/JSON at byte %d%s: %s", t.pos, t.where(), t.fault)
}

// transcoder reads OTLP/JSON from src and appends protobuf to dst.
type transcoder struct {
	src     []byte
	pos     int
	dst     []byte
	nesting int // of objects and arrays
	values  int // of AnyValues
	scratch []byte
	field   *field
	fault   string
	tooDeep bool
}

func (t *transcoder) fail(fault string) bool {
	if t.fault == "" {
		t.fault = fault
	}
	return false
}

func (t *transcoder) where() string {
	if t.field == nil {
		return ""
	}
	return fmt.Sprintf(" near %q", t.field.name)
}

func (t *transcoder) request(m *message) bool {
	if t.space() != '{' {
		return t.fail("the request is not an object")
	}
	if !t.object(m) {
		return false
	}
	if t.space(); t.pos < len(t.src) {
		return t.fail("data behind the request")
	}
	return true
}

// enter counts a level of nesting; the caller leaves it by t.nesting--.
func (t *transcoder) enter() bool {
	if t.nesting++; t.nesting > maxNesting {
		t.tooDeep = true
		return false
	}
	return true
}

// object reads the object at t.pos as the fields of m.
func (t *transcoder) object(m *message) bool {
	if !t.enter() {
		return false
	}
	if m.value {
		if t.values++; t.values > MaxDepth {
			t.tooDeep = true
			return false
		}
	}
	t.pos++
	next := 0
	c := t.space()
	for c != '}' {
		if c != '"' {
			return t.fail("expected a name")
		}
		f, ok := t.key(m, &next)
		if !ok {
			return false
		}
		if t.space() != ':' {
			return t.fail("expected a colon")
		}
		t.pos++
		if c = t.space(); f == nil {
			ok = t.skipValue(c)
		} else {
			t.field = f
			ok = t.value(f, c)
		}
		if !ok {
			return false
		}
		if c = t.space(); c == ',' {
			t.pos++
			if c = t.space(); c == '}' {
				return t.fail("a comma before the end")
			}
		} else if c != '}' {
			return t.fail("expected a comma or the end of the object")
		}
	}
	t.pos++
	t.nesting--
	if m.value {
		t.values--
	}
	return true
}

// value reads the value at t.pos, which starts with c, as the field f.
func (t *transcoder) value(f *field, c byte) bool {
	if c == 'n' {
		return t.literal("null")
	}
	if !f.repeated {
		return t.single(f, c)
	}
	if c != '[' {
		return t.fail("expected a list")
	}
	if !t.enter() {
		return false
	}
	t.pos++
	if f.wire != wireLen {
		return t.packed(f)
	}
	c = t.space()
	for c != ']' {
		if c == 'n' {
			t.tag(f.number, wireLen)
			t.varint(0)
			if !t.literal("null") {
				return false
			}
		} else if !t.single(f, c) {
			return false
		}
		var ok bool
		if c, ok = t.separator(); !ok {
			return false
		}
	}
	t.pos++
	t.nesting--
	return true
}

// separator goes past the comma behind an element of a list and gives what follows it.
func (t *transcoder) separator() (byte, bool) {
	c := t.space()
	if c == ']' {
		return c, true
	}
	if c != ',' {
		return c, t.fail("expected a comma or the end of the list")
	}
	t.pos++
	if c = t.space(); c == ']' {
		return c, t.fail("a comma before the end")
	}
	return c, true
}

// single reads one value of a field, with its tag.
func (t *transcoder) single(f *field, c byte) bool {
	switch f.kind {
	case kindMessage:
		if c != '{' {
			return t.fail("expected an object")
		}
		if f.message == messages.keyValue && t.pair(f) {
			return true
		}
		at := t.open(f.number, int(f.width))
		ok := t.object(f.message)
		t.shut(at, int(f.width))
		return ok
	case kindString:
		if c != '"' {
			return t.fail("expected a string")
		}
		t.tag(f.number, wireLen)
		return t.text()
	case kindBytes, kindID16, kindID8:
		if c != '"' {
			return t.fail("expected a string")
		}
		t.tag(f.number, wireLen)
		if f.kind == kindBytes {
			return t.base64()
		}
		return t.hex()
	default:
		t.tag(f.number, f.wire)
		return t.number(f, c)
	}
}

// packed reads a list of numbers, behind its bracket, as a packed field.
func (t *transcoder) packed(f *field) bool {
	at := t.open(f.number, 1)
	c := t.space()
	for c != ']' {
		ok := t.number(f, c)
		if !ok {
			return false
		}
		if c, ok = t.separator(); !ok {
			return false
		}
	}
	t.shut(at, 1)
	t.pos++
	t.nesting--
	return true
}
