package enrich

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// span is what a span says, as far as rules ask for it, and what is added to it. It
// serves one span after the other, and what misses nothing allocates nothing.
type span struct {
	values    [fieldCount][]byte // encoded AnyValue; nil where the span has no such attribute
	told      []field            // those that are not nil
	documents []document         // of OpenInference
	failed    bool
	thrown    bool     // has an exception event
	results   [][]byte // events that tell what a vector database found
	message   []byte   // of the status
	end       uint64

	added    []byte            // encoded fields
	replaced map[string]string // attributes whose text is another

	changes   []change // of the request
	additions []byte   // to all its spans, one after the other
}

var pool = sync.Pool{New: func() any { return new(span) }}

// giveBack lets the span go, which keeps nothing of the request.
func (s *span) giveBack() {
	s.forget()
	s.leave()
	pool.Put(s)
}

func (s *span) forget() {
	for _, f := range s.told {
		s.values[f] = nil
	}
	clear(s.documents)
	clear(s.results)
	s.told, s.documents, s.results = s.told[:0], s.documents[:0], s.results[:0]
	s.failed, s.thrown, s.message, s.end, s.added, s.replaced = false, false, nil, 0, s.added[:0], nil
}

// there stands for a value that was added, or is empty.
var there = []byte{}

func (s *span) put(f field, value []byte) {
	if s.values[f] == nil {
		s.told = append(s.told, f)
	}
	if value == nil {
		value = there
	}
	s.values[f] = value
}

// enriched gives the span with what is replaced in it, and has in s.added what goes
// behind it.
func (s *span) enriched(message []byte, rules func(*span)) ([]byte, error) {
	s.forget()
	if !s.read(message) {
		return message, errMalformed
	}
	rules(s)
	if len(s.replaced) > 0 {
		var err error
		message, err = within(message, spanAttributes, func(attribute []byte) ([]byte, error) {
			key, _, ok := pair(attribute)
			if text, there := s.replaced[string(key)]; there && ok {
				return keyValue(string(key), text), nil
			}
			return attribute, nil
		})
		if err != nil {
			return message, err
		}
	}
	return message, nil
}

// read takes in a span; false if it is malformed.
func (s *span) read(message []byte) bool {
	for len(message) > 0 {
		p, ok := next(message)
		if !ok {
			return false
		}
		message = message[p.size:]
		switch {
		case p.number == spanAttributes && p.kind == protowire.BytesType:
			key, value, ok := pair(p.content)
			if !ok {
				return false
			}
			if f := fieldOf(key); f != none {
				s.put(f, value)
			} else if bytes.HasPrefix(key, documentPrefix) {
				s.documentPart(key, value)
			}
		case p.number == spanStatus && p.kind == protowire.BytesType:
			for rest := p.content; len(rest) > 0; {
				p, ok := next(rest)
				if !ok {
					return false
				}
				rest = rest[p.size:]
				switch {
				case p.number == statusCode && p.kind == protowire.VarintType:
					code, _ := binary.Uvarint(p.content)
					s.failed = code == statusError
				case p.number == statusMessage && p.kind == protowire.BytesType:
					s.message = p.content
				}
			}
		case p.number == spanEvents && p.kind == protowire.BytesType:
			event := p.content
			for rest := event; len(rest) > 0; {
				p, ok := next(rest)
				if !ok {
					return false
				}
				rest = rest[p.size:]
				if p.number == eventName && p.kind == protowire.BytesType {
					switch string(p.content) {
					case semconv.EventException:
						s.thrown = true
					case semconv.EventDBQueryResult, semconv.EventDBSearchResult:
						s.results = append(s.results, event)
					}
				}
			}
		case p.number == spanEnd && p.kind == protowire.Fixed64Type:
			s.end = binary.LittleEndian.Uint64(p.content)
		}
	}
	return true
}

func pair(attribute []byte) (key, value []byte, ok bool) {
	for len(attribute) > 0 {
		p, ok := next(attribute)
		if !ok {
			return nil, nil, false
		}
		attribute = attribute[p.size:]
		switch {
		case p.number == keyValueKey && p.kind == protowire.BytesType:
			key = p.content
		case p.number == keyValueValue && p.kind == protowire.BytesType:
			value = p.content
		}
	}
	return key, value, true
}

// has tells whether the span has one of the attributes, whatever is in it.
func (s *span) has(fields ...field) bool {
	for _, f := range fields {
		if s.values[f] != nil {
			return true
		}
	}
	return false
}

// text gives the first of the attributes that is told, numbers and lists as JSON.
func (s *span) text(fields ...field) string {
	for _, f := range fields {
		if s.values[f] == nil {
			continue
		}
		if text := textOf(s.values[f]); text != "" {
			return text
		}
	}
	return ""
}

func textOf(value []byte) string {
	switch v := decoded(value).(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
}

// plainText gives a value that is text; nil for any other.
func plainText(value []byte) []byte {
	if p, ok := next(value); ok && p.number == anyString && p.kind == protowire.BytesType && p.size == len(value) {
		return p.content
	}
	return nil
}

// among gives what a table has for the text of an attribute, "" for anything else.
func (s *span) among(table map[string]string, f field) string {
	return table[string(plainText(s.values[f]))]
}

// number gives the first of the attributes that is a whole number of at least 0, also
// one in words.
func (s *span) number(fields ...field) (int64, bool) {
	for _, f := range fields {
		if n, ok := whole(s.values[f]); ok {
			return n, true
		}
	}
	return 0, false
}

// whole gives a value that is a whole number of at least 0.
func whole(value []byte) (int64, bool) {
	p, ok := next(value)
	if !ok || p.size != len(value) {
		return 0, false
	}
	switch p.number {
	case anyInt:
		n, _ := binary.Uvarint(p.content)
		return int64(n), int64(n) >= 0
	case anyDouble:
		bits, _ := protowire.ConsumeFixed64(p.content)
		v := math.Float64frombits(bits)
		if v >= 0 && v == math.Trunc(v) && v < 1<<53 {
			return int64(v), true
		}
	case anyString:
		n, err := strconv.ParseInt(string(p.content), 10, 64)
		return n, err == nil && n >= 0
	}
	return 0, false
}

// add adds an attribute of text, unless it is empty or the span has the attribute.
func (s *span) add(f field, text string) {
	if text == "" || s.has(f) {
		return
	}
	s.put(f, there)
	s.attributeText(names[f], text)
}

// count adds a whole number, the first of those that are told, unless the span has
// the attribute.
func (s *span) count(f field, from ...field) {
	n, told := s.number(from...)
	if !told || s.has(f) {
		return
	}
	s.put(f, there)
	s.attribute(encodedPair(names[f], protowire.AppendVarint(protowire.AppendTag(nil, anyInt, protowire.VarintType), uint64(n))))
}

// attributeText adds an attribute of text.
func (s *span) attributeText(key, text string) {
	value := protowire.SizeTag(anyString) + protowire.SizeBytes(len(text))
	size := protowire.SizeTag(keyValueKey) + protowire.SizeBytes(len(key)) + protowire.SizeTag(keyValueValue) + protowire.SizeBytes(value)
	s.added = protowire.AppendVarint(protowire.AppendTag(s.added, spanAttributes, protowire.BytesType), uint64(size))
	s.added = protowire.AppendString(protowire.AppendTag(s.added, keyValueKey, protowire.BytesType), key)
	s.added = protowire.AppendVarint(protowire.AppendTag(s.added, keyValueValue, protowire.BytesType), uint64(value))
	s.added = protowire.AppendString(protowire.AppendTag(s.added, anyString, protowire.BytesType), text)
}

// attribute adds an encoded KeyValue.
func (s *span) attribute(pair []byte) {
	s.added = protowire.AppendBytes(protowire.AppendTag(s.added, spanAttributes, protowire.BytesType), pair)
}

// replace gives an attribute that the span has another text.
func (s *span) replace(key, text string) {
	if s.replaced == nil {
		s.replaced = map[string]string{}
	}
	s.replaced[key] = text
}
