package enrich

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// keyValue encodes an attribute of text.
func keyValue(key, text string) []byte {
	return encodedPair(key, protowire.AppendString(protowire.AppendTag(nil, anyString, protowire.BytesType), text))
}

// encodedPair encodes a KeyValue of an encoded AnyValue.
func encodedPair(key string, value []byte) []byte {
	out := protowire.AppendString(protowire.AppendTag(nil, keyValueKey, protowire.BytesType), key)
	return protowire.AppendBytes(protowire.AppendTag(out, keyValueValue, protowire.BytesType), value)
}

// decoded gives an AnyValue as JSON would have it; nil if there is none.
func decoded(value []byte) (v any) { return decode(value, 0) }

// deepest is how far lists are followed.
const deepest = 16

func decode(value []byte, depth int) (v any) {
	for len(value) > 0 {
		p, ok := next(value)
		if !ok {
			return v
		}
		value = value[p.size:]
		switch p.number {
		case anyString:
			v = string(p.content)
		case 2: // bool
			b, _ := binary.Uvarint(p.content)
			v = b != 0
		case anyInt:
			n, _ := binary.Uvarint(p.content)
			v = int64(n)
		case anyDouble:
			bits, _ := protowire.ConsumeFixed64(p.content)
			if f := math.Float64frombits(bits); !math.IsNaN(f) && !math.IsInf(f, 0) {
				v = f
			} else {
				v = fmt.Sprint(f)
			}
		case 5: // array
			list := []any{}
			for rest := p.content; len(rest) > 0 && depth < deepest; {
				element, ok := next(rest)
				if !ok {
					break
				}
				rest = rest[element.size:]
				list = append(list, decode(element.content, depth+1))
			}
			v = list
		case 6: // key-value list
			object := map[string]any{}
			for rest := p.content; len(rest) > 0 && depth < deepest; {
				element, ok := next(rest)
				if !ok {
					break
				}
				rest = rest[element.size:]
				if key, value, ok := pair(element.content); ok {
					object[string(key)] = decode(value, depth+1)
				}
			}
			v = object
		case 7: // bytes
			v = base64.StdEncoding.EncodeToString(p.content)
		}
	}
	return v
}
