package otlp

import "math"

// ValueType tells which kind of AnyValue a Value is. The zero value is Empty.
type ValueType uint8

// The types of AnyValue.
const (
	Empty ValueType = iota
	String
	Bool
	Int
	Double
	Array  // Bytes is an encoded ArrayValue
	KVList // Bytes is an encoded KeyValueList
	Bytes
)

// Value is an AnyValue that is still encoded where it nests. Its bytes alias the
// scanned message and are valid as long as that is.
type Value struct {
	Type ValueType
	// Bytes is the text of a String, the content of a Bytes, the encoded message of an Array or KVList.
	Bytes []byte
	// Num is a Bool (0 or 1), an Int in two's complement, or the bits of a Double.
	Num uint64
}

// Int gives an Int's value; meaningless for other types.
func (v Value) Int() int64 { return int64(v.Num) }

// Double gives a Double's value; meaningless for other types.
func (v Value) Double() float64 { return math.Float64frombits(v.Num) }

// Attribute is a KeyValue. Key aliases the scanned message.
type Attribute struct {
	Key   []byte
	Value Value
}

// SpanKind is a span's kind, numbered as in the protocol.
type SpanKind uint8

// The span kinds.
const (
	KindUnspecified SpanKind = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer
)

// StatusCode is a span's status, numbered as in the protocol.
type StatusCode uint8

// The status codes.
const (
	StatusUnset StatusCode = iota
	StatusOK
	StatusError
)

// Event is a span event. Its bytes alias the scanned message.
type Event struct {
	Time       uint64 // Unix nanoseconds
	Name       []byte
	Attributes []Attribute
}

// Span is one span as the scanner found it. All bytes alias the scanned message,
// and the slices are used again for the next span: a visitor copies what it keeps.
type Span struct {
	TraceID       [16]byte
	SpanID        [8]byte
	ParentID      [8]byte // zero: none
	Name          []byte
	Kind          SpanKind
	Start         uint64 // Unix nanoseconds
	End           uint64 // Unix nanoseconds, 0 if never told
	Status        StatusCode
	StatusMessage []byte
	Attributes    []Attribute
	// Raw is the encoded Span message, without tag and length.
	Raw []byte

	events [][]byte // encoded, validated
	event  Event    // used again for each
}

// Resource is a resource with its attributes. The slice is used again for the next one.
type Resource struct {
	Attributes []Attribute
}

// Scope is an instrumentation scope.
type Scope struct {
	Name, Version []byte
}

// TraceVisitor is told what a scan of an ExportTraceServiceRequest finds: each
// resource before its scopes, each scope before its spans. A resource or scope
// that the message leaves out is told as the zero value.
type TraceVisitor interface {
	Resource(*Resource)
	Scope(*Scope)
	Span(*Span)
}

// LogRecord is one log record. The rules of Span hold.
type LogRecord struct {
	Time         uint64 // Unix nanoseconds; the observed time where no other is told
	EventName    []byte // the field, else the attribute event.name
	Body         Value
	Attributes   []Attribute
	TraceID      [16]byte
	SpanID       [8]byte
	SeverityText []byte
}

// LogVisitor is told what a scan of an ExportLogsServiceRequest finds.
type LogVisitor interface {
	Resource(*Resource)
	Scope(*Scope)
	LogRecord(*LogRecord)
}
