package otlp

import "math"

// KV is an attribute to be encoded; the functions below make them. The zero KV is an
// empty value under the key "".
type KV struct {
	key   string
	value Value
	text  string
	list  []KV
}

// Str makes a text attribute.
func Str(key, value string) KV { return KV{key: key, value: Value{Type: String}, text: value} }

// I64 makes an attribute of a whole number.
func I64(key string, value int64) KV {
	return KV{key: key, value: Value{Type: Int, Num: uint64(value)}}
}

// F64 makes an attribute of a floating-point number.
func F64(key string, value float64) KV {
	return KV{key: key, value: Value{Type: Double, Num: math.Float64bits(value)}}
}

// Flag makes an attribute of a truth value.
func Flag(key string, value bool) KV {
	kv := KV{key: key, value: Value{Type: Bool}}
	if value {
		kv.value.Num = 1
	}
	return kv
}

// Blob makes an attribute of bytes, which it does not copy.
func Blob(key string, value []byte) KV {
	return KV{key: key, value: Value{Type: Bytes, Bytes: value}}
}

// Strs makes an attribute that is a list of texts.
func Strs(key string, values ...string) KV {
	list := make([]KV, len(values))
	for i, v := range values {
		list[i] = Str("", v)
	}
	return List(key, list...)
}

// List makes an attribute that is a list; the keys of its elements are not encoded.
func List(key string, elements ...KV) KV {
	return KV{key: key, value: Value{Type: Array}, list: elements}
}

// Group makes an attribute that is a list of keys and values.
func Group(key string, pairs ...KV) KV {
	return KV{key: key, value: Value{Type: KVList}, list: pairs}
}

// Copied makes an attribute of a scanned value, which it does not copy before it is
// encoded.
func Copied(key string, value Value) KV { return KV{key: key, value: value} }

func appendKeyValues(dst []byte, number uint32, list []KV) []byte {
	var at int
	for i := range list {
		dst, at = openMessage(dst, number, 1)
		if list[i].key != "" {
			dst = appendText(dst, 1, list[i].key)
		}
		dst = closeMessage(appendValue(dst, 2, &list[i]), at, 1)
	}
	return dst
}

// appendValue appends a field that holds an AnyValue.
func appendValue(dst []byte, number uint32, kv *KV) []byte {
	dst, at := openMessage(dst, number, 1)
	v := kv.value
	switch v.Type {
	case String:
		if v.Bytes != nil {
			dst = appendText(dst, 1, v.Bytes)
		} else {
			dst = appendText(dst, 1, kv.text)
		}
	case Bool:
		dst = appendNumber(dst, 2, v.Num)
	case Int:
		dst = appendNumber(dst, 3, v.Num)
	case Double:
		dst = appendFixed64(dst, 4, v.Num)
	case Array:
		if v.Bytes != nil {
			dst = appendText(dst, 5, v.Bytes)
		} else {
			dst = appendList(dst, kv.list)
		}
	case KVList:
		if v.Bytes != nil {
			dst = appendText(dst, 6, v.Bytes)
		} else {
			var inner int
			dst, inner = openMessage(dst, 6, 1)
			dst = closeMessage(appendKeyValues(dst, 1, kv.list), inner, 1)
		}
	case Bytes:
		dst = appendText(dst, 7, v.Bytes)
	}
	return closeMessage(dst, at, 1)
}

func appendList(dst []byte, list []KV) []byte {
	dst, at := openMessage(dst, 5, 1)
	for i := range list {
		dst = appendValue(dst, 1, &list[i])
	}
	return closeMessage(dst, at, 1)
}
