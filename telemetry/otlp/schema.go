package otlp

import "strings"

// kind is the type of a field, as far as its two encodings care.
type kind uint8

const (
	kindString kind = iota
	kindBytes
	kindID16
	kindID8
	kindBool
	kindInt32
	kindSint32
	kindUint32
	kindInt64
	kindUint64
	kindFixed32
	kindFixed64
	kindSfixed64
	kindDouble
	kindEnum
	kindMessage
)

// wire is the wire type of a single value of the kind.
func (k kind) wire() uint8 {
	switch k {
	case kindBool, kindInt32, kindSint32, kindUint32, kindInt64, kindUint64, kindEnum:
		return wireVarint
	case kindFixed64, kindSfixed64, kindDouble:
		return wireI64
	case kindFixed32:
		return wireI32
	default:
		return wireLen
	}
}

// role marks the fields of a span that the door check looks at.
type role uint8

const (
	roleNone role = iota
	roleItem      // a span, log record or data point
	roleTraceID
	roleSpanID
	roleStart
	roleEnd
)

// field describes one field of a message.
type field struct {
	number   uint32
	kind     kind
	wire     uint8
	role     role
	repeated bool
	width    uint8  // bytes to reserve for the length of a message when building
	name     string // lowerCamelCase, as in OTLP/JSON
	snake    string // as in the protocol's own files
	message  *message
	enum     []string // names by number, where names are tolerated
}

// message describes one message of the protocol.
type message struct {
	name   string
	fields []*field
	names  []jsonName // of the fields, in their order
	// byNumber has the fields numbered up to 16; nothing but legacy is above.
	byNumber [17]*field
	// legacy is the field 1000 of the resource level, read where field 2 is missing.
	legacy *field
	// value marks AnyValue, which adds a level of depth.
	value bool
	// span marks Span, which the door check judges as a whole.
	span bool
}

func newMessage(name string, fields ...*field) *message {
	m := &message{name: name}
	m.define(fields...)
	return m
}

func (m *message) define(fields ...*field) {
	m.fields = fields
	for _, f := range fields {
		m.byNumber[f.number] = f
		m.names = append(m.names, newJSONName(f.name))
	}
}

// lookup gives the field of a number, nil if it is unknown.
func (m *message) lookup(number uint64) *field {
	if number < uint64(len(m.byNumber)) {
		return m.byNumber[number]
	}
	if number == legacyNumber {
		return m.legacy
	}
	return nil
}

const legacyNumber = 1000

// named gives the field of a name in either style, and its index; nil if unknown.
func (m *message) named(name []byte) (*field, int) {
	for i, f := range m.fields {
		if f.name == string(name) || f.snake == string(name) {
			return f, i
		}
	}
	return nil, 0
}

func scalar(number uint32, name string, k kind) *field {
	return &field{number: number, kind: k, wire: k.wire(), name: name, snake: snakeCase(name)}
}

func list(number uint32, name string, k kind) *field {
	f := scalar(number, name, k)
	f.repeated = true
	return f
}

func enum(number uint32, name string, names []string) *field {
	f := scalar(number, name, kindEnum)
	f.enum = names
	return f
}

func one(number uint32, name string, m *message) *field {
	f := scalar(number, name, kindMessage)
	f.message, f.width = m, 1
	return f
}

func many(number uint32, name string, m *message) *field {
	f := one(number, name, m)
	f.repeated = true
	return f
}

func (f *field) as(r role) *field {
	f.role = r
	return f
}

// wide sets how many bytes the length of a message usually takes.
func (f *field) wide(width uint8) *field {
	f.width = width
	return f
}

func snakeCase(name string) string {
	var s strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			s.WriteByte('_')
			c += 'a' - 'A'
		}
		s.WriteRune(c)
	}
	return s.String()
}
