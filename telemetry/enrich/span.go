package enrich

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// span is what a span says, and what is added to it.
type span struct {
	values  map[string][]byte // encoded AnyValue by attribute
	failed  bool
	message string // of the status
	thrown  bool   // has an exception event
	end     uint64

	added    []byte            // encoded fields
	replaced map[string]string // attributes whose text is another
}

func enriched(message []byte, rules func(*span)) ([]byte, error) {
	s := span{values: map[string][]byte{}}
	err := each(message, func(number protowire.Number, kind protowire.Type, content, _ []byte) error {
		switch {
		case number == spanAttributes && kind == protowire.BytesType:
			key, value, err := pair(content)
			s.values[key] = value
			return err
		case number == spanStatus && kind == protowire.BytesType:
			return each(content, func(number protowire.Number, kind protowire.Type, content, _ []byte) error {
				switch {
				case number == statusCode && kind == protowire.VarintType:
					code, _ := protowire.ConsumeVarint(content)
					s.failed = code == statusError
				case number == statusMessage && kind == protowire.BytesType:
					s.message = string(content)
				}
				return nil
			})
		case number == spanEvents && kind == protowire.BytesType:
			return each(content, func(number protowire.Number, kind protowire.Type, content, _ []byte) error {
				s.thrown = s.thrown || number == eventName && kind == protowire.BytesType && string(content) == semconv.EventException
				return nil
			})
		case number == spanEnd && kind == protowire.Fixed64Type:
			s.end, _ = protowire.ConsumeFixed64(content)
		}
		return nil
	})
	if err != nil {
		return message, err
	}
	rules(&s)
	if len(s.replaced) > 0 {
		message, err = within(message, spanAttributes, func(attribute []byte) ([]byte, error) {
			key, _, err := pair(attribute)
			if text, there := s.replaced[key]; there && err == nil {
				return keyValue(key, text), nil
			}
			return attribute, err
		})
		if err != nil {
			return message, err
		}
	}
	if len(s.added) > 0 {
		message = append(message[:len(message):len(message)], s.added...)
	}
	return message, nil
}

func pair(attribute []byte) (key string, value []byte, err error) {
	err = each(attribute, func(number protowire.Number, kind protowire.Type, content, _ []byte) error {
		switch {
		case number == keyValueKey && kind == protowire.BytesType:
			key = string(content)
		case number == keyValueValue && kind == protowire.BytesType:
			value = content
		}
		return nil
	})
	return key, value, err
}

func keyValue(key, text string) []byte {
	value := protowire.AppendString(protowire.AppendTag(nil, anyString, protowire.BytesType), text)
	out := protowire.AppendString(protowire.AppendTag(nil, keyValueKey, protowire.BytesType), key)
	return protowire.AppendBytes(protowire.AppendTag(out, keyValueValue, protowire.BytesType), value)
}

// has tells whether the span has one of the attributes, whatever is in it.
func (s *span) has(keys ...string) bool {
	for _, key := range keys {
		if _, there := s.values[key]; there {
			return true
		}
	}
	return false
}

// text gives the first of the attributes that is told, numbers and lists as JSON.
func (s *span) text(keys ...string) string {
	for _, key := range keys {
		value, there := s.values[key]
		if !there {
			continue
		}
		switch v := decoded(value).(type) {
		case string:
			if v != "" {
				return v
			}
		case nil:
		default:
			if b, err := json.Marshal(v); err == nil {
				return string(b)
			}
		}
	}
	return ""
}

// number gives the first of the attributes that is a whole number of at least 0, also
// one in words.
func (s *span) number(keys ...string) (int64, bool) {
	for _, key := range keys {
		switch v := decoded(s.values[key]).(type) {
		case int64:
			if v >= 0 {
				return v, true
			}
		case float64:
			if v >= 0 && v == math.Trunc(v) && v < 1<<53 {
				return int64(v), true
			}
		case string:
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
				return n, true
			}
		}
	}
	return 0, false
}

// add adds an attribute of text, unless it is empty or the span has the attribute.
func (s *span) add(key, text string) {
	if text == "" || s.has(key) {
		return
	}
	s.values[key] = nil
	s.added = protowire.AppendBytes(protowire.AppendTag(s.added, spanAttributes, protowire.BytesType), keyValue(key, text))
}

// count adds a whole number, the first of those that are told, unless the span has
// the attribute.
func (s *span) count(key string, from ...string) {
	n, told := s.number(from...)
	if !told || s.has(key) {
		return
	}
	s.values[key] = nil
	value := protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), uint64(n))
	attribute := protowire.AppendString(protowire.AppendTag(nil, keyValueKey, protowire.BytesType), key)
	attribute = protowire.AppendBytes(protowire.AppendTag(attribute, keyValueValue, protowire.BytesType), value)
	s.added = protowire.AppendBytes(protowire.AppendTag(s.added, spanAttributes, protowire.BytesType), attribute)
}

// replace gives an attribute another text, or adds it.
func (s *span) replace(key, text string) {
	if !s.has(key) {
		s.add(key, text)
		return
	}
	if s.replaced == nil {
		s.replaced = map[string]string{}
	}
	s.replaced[key] = text
}

// decoded gives an AnyValue as JSON would have it; nil if there is none.
func decoded(value []byte) (v any) { return decode(value, 0) }

// deepest is how far lists are followed.
const deepest = 16

func decode(value []byte, depth int) (v any) {
	_ = each(value, func(number protowire.Number, _ protowire.Type, content, _ []byte) error {
		switch number {
		case anyString:
			v = string(content)
		case 2: // bool
			b, _ := protowire.ConsumeVarint(content)
			v = b != 0
		case 3: // int
			n, _ := protowire.ConsumeVarint(content)
			v = int64(n)
		case 4: // double
			bits, _ := protowire.ConsumeFixed64(content)
			if f := math.Float64frombits(bits); !math.IsNaN(f) && !math.IsInf(f, 0) {
				v = f
			} else {
				v = fmt.Sprint(f)
			}
		case 5: // array
			list := []any{}
			_ = each(content, func(_ protowire.Number, _ protowire.Type, element, _ []byte) error {
				if depth < deepest {
					list = append(list, decode(element, depth+1))
				}
				return nil
			})
			v = list
		case 6: // key-value list
			object := map[string]any{}
			_ = each(content, func(_ protowire.Number, _ protowire.Type, element, _ []byte) error {
				if key, value, err := pair(element); err == nil && depth < deepest {
					object[key] = decode(value, depth+1)
				}
				return nil
			})
			v = object
		case 7: // bytes
			v = base64.StdEncoding.EncodeToString(content)
		}
		return nil
	})
	return v
}
