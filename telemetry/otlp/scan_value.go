package otlp

// shallow is the depth at which what nests is taken as it is, because it was
// validated before: visiting a nested value then costs each level once.
const shallow = -1

// MostListed is how many attributes, and how many events, of one thing a visitor is
// told, the first; those behind are checked like all others. Instrumentation stops at
// 128 (the specification's default limit), and each of a million takes more room in the
// list of every reader than in the message.
const MostListed = 1 << 16

// appendAttribute reads a KeyValue into a new last element of list, or into nothing if
// it has as many as it may.
func appendAttribute(list *[]Attribute, b []byte, depth int) bool {
	n := len(*list)
	if n == cap(*list) {
		if n >= MostListed {
			return readKeyValue(b, new(Attribute), depth)
		}
		*list = append(*list, Attribute{})
	} else {
		*list = (*list)[:n+1]
	}
	a := &(*list)[n]
	if plainKeyValue(b, a) {
		return true
	}
	*a = Attribute{}
	return readKeyValue(b, a, depth)
}

// reserve makes room for one more element and for those that the field still has in
// the rest of its message, and for no more, where a list has become as wide as what
// is kept:
// growing step by step leaves several times its size behind as garbage, in every
// reader of the record at once.
func reserve(list []Attribute, rest []byte, field uint64) []Attribute {
	if len(list) != keep {
		return list
	}
	n := 0
	for i := 0; i >= 0 && i < len(rest); {
		var tag uint64
		if tag, i = varint(rest, i); i < 0 {
			break
		}
		if tag == field {
			n++
		}
		i = skipWire(rest, i, int(tag&7))
	}
	return append(make([]Attribute, 0, min(len(list)+1+n, MostListed)), list...)
}

// plainKeyValue reads what nearly every encoder writes: a key, shorter than 128
// bytes, then a text, a number or a truth value, each once and nothing else. It
// leaves all else to readKeyValue, which gives the same for these.
func plainKeyValue(b []byte, a *Attribute) bool {
	if len(b) < 2 || b[0] != 1<<3|wireLen {
		return false
	}
	n := int(b[1])
	if n >= 0x80 || len(b) < n+6 || b[n+2] != 2<<3|wireLen {
		return false
	}
	// Lengths below 16 KiB are read here: a call for each takes as long as all the rest.
	v := b[n+3:]
	size, at := int(v[0]), 1
	if size >= 0x80 {
		size, at = size&0x7f|int(v[1])<<7, 2
	}
	if v[at-1] >= 0x80 {
		var end int
		if v, end = chunk(b, n+3); end != len(b) || len(v) < 2 {
			return false
		}
	} else if v = v[at:]; size != len(v) || size < 2 {
		return false
	}
	switch v[0] {
	case 1<<3 | wireLen:
		size, at = int(v[1]), 2
		if size >= 0x80 && len(v) > 2 {
			size, at = size&0x7f|int(v[2])<<7, 3
		}
		var text []byte
		if v[at-1] < 0x80 {
			if text = v[at:]; size != len(text) {
				return false
			}
		} else if text, at = chunk(v, 1); at != len(v) {
			return false
		}
		a.Value = Value{Type: String, Bytes: text}
	case 2<<3 | wireVarint:
		num, end := varint(v, 1)
		if end != len(v) {
			return false
		}
		a.Value = Value{Type: Bool, Num: min(num, 1)}
	case 3<<3 | wireVarint:
		num, end := varint(v, 1)
		if end != len(v) {
			return false
		}
		a.Value = Value{Type: Int, Num: num}
	case 4<<3 | wireI64:
		num, end := fixed64(v, 1)
		if end != len(v) {
			return false
		}
		a.Value = Value{Type: Double, Num: num}
	default:
		return false
	}
	a.Key = b[2 : n+2]
	return true
}

func readKeyValue(b []byte, a *Attribute, depth int) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireLen:
			a.Key, i = chunk(b, i)
		case 2<<3 | wireLen:
			if part, i = chunk(b, i); i < 0 || !readValue(part, &a.Value, depth) {
				return false
			}
		case 3<<3 | wireVarint:
			_, i = varint(b, i)
		default:
			i = skip(b, i, tag, 1<<1|1<<2|1<<3)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

// readValue reads an AnyValue into v, which keeps what it has if b has no value.
func readValue(b []byte, v *Value, depth int) bool {
	if depth > MaxDepth {
		return false
	}
	var tag uint64
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		switch tag {
		case 1<<3 | wireLen:
			v.Type, v.Num = String, 0
			v.Bytes, i = chunk(b, i)
		case 2<<3 | wireVarint:
			v.Type, v.Bytes = Bool, nil
			if v.Num, i = varint(b, i); v.Num != 0 {
				v.Num = 1
			}
		case 3<<3 | wireVarint:
			v.Type, v.Bytes = Int, nil
			v.Num, i = varint(b, i)
		case 4<<3 | wireI64:
			v.Type, v.Bytes = Double, nil
			v.Num, i = fixed64(b, i)
		case 5<<3 | wireLen:
			v.Type, v.Num = Array, 0
			if v.Bytes, i = chunk(b, i); i < 0 || depth != shallow && !validElements(v.Bytes, depth+1) {
				return false
			}
		case 6<<3 | wireLen:
			v.Type, v.Num = KVList, 0
			if v.Bytes, i = chunk(b, i); i < 0 || depth != shallow && !validPairs(v.Bytes, depth+1) {
				return false
			}
		case 7<<3 | wireLen:
			v.Type, v.Num = Bytes, 0
			v.Bytes, i = chunk(b, i)
		case 8<<3 | wireVarint:
			*v = Value{}
			_, i = varint(b, i)
		default:
			i = skip(b, i, tag, 1<<9-2)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

func validElements(b []byte, depth int) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		if tag != 1<<3|wireLen {
			if i = skip(b, i, tag, 1<<1); i < 0 {
				return false
			}
			continue
		}
		var v Value
		if part, i = chunk(b, i); i < 0 || !readValue(part, &v, depth) {
			return false
		}
	}
	return true
}

func validPairs(b []byte, depth int) bool {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return false
		}
		if tag != 1<<3|wireLen {
			if i = skip(b, i, tag, 1<<1); i < 0 {
				return false
			}
			continue
		}
		var a Attribute
		if part, i = chunk(b, i); i < 0 || !readKeyValue(part, &a, depth) {
			return false
		}
	}
	return true
}

// EachElement calls yield with the elements of an Array, in order, until yield
// gives false; for other types never. Elements alias v.
func EachElement(v Value, yield func(Value) bool) {
	if v.Type != Array {
		return
	}
	eachPart(v.Bytes, func(part []byte) bool {
		var element Value
		return readValue(part, &element, shallow) && yield(element)
	})
}

// EachPair calls yield with the keys and values of a KVList, in order, until yield
// gives false; for other types never. Keys, which may repeat, and values alias v.
func EachPair(v Value, yield func(key []byte, value Value) bool) {
	if v.Type != KVList {
		return
	}
	eachPart(v.Bytes, func(part []byte) bool {
		var a Attribute
		return readKeyValue(part, &a, shallow) && yield(a.Key, a.Value)
	})
}

// eachPart calls yield with every field 1 of a validated message.
func eachPart(b []byte, yield func([]byte) bool) {
	var tag uint64
	var part []byte
	for i := 0; i < len(b); {
		if tag, i = varint(b, i); i < 0 {
			return
		}
		if tag != 1<<3|wireLen {
			if i = skipWire(b, i, int(tag&7)); i < 0 {
				return
			}
			continue
		}
		if part, i = chunk(b, i); i < 0 || !yield(part) {
			return
		}
	}
}
