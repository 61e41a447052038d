package otlp

import "math"

// What compact writers put around the parts of an attribute.
const (
	beforeKey    = `{"key":"`
	beforeValue  = `","value":`
	beforeString = `{"stringValue":"`
	beforeInt    = `{"intValue":"`
	behindString = `"}}`
)

// The fields of a KeyValue and of its AnyValue, as tags.
const (
	tagKey    = 1<<3 | wireLen
	tagValue  = 2<<3 | wireLen
	tagString = 1<<3 | wireLen
	tagInt    = 3<<3 | wireVarint
)

// pairFrame is the most that surrounds the key and the text of a pair: six tags and
// lengths, and the value of a number.
const pairFrame = 64

// pair reads the KeyValue at t.pos if it is written compactly and in the usual
// order, which most of a request is made of, and tells whether it did; if not,
// nothing has happened.
func (t *transcoder) pair(f *field) bool {
	if t.values >= MaxDepth || t.nesting+2 > maxNesting || !t.at(t.pos, beforeKey) {
		return false
	}
	key := t.pos + len(beforeKey)
	keyEnd := plain(t.src, key)
	if !t.at(keyEnd, beforeValue) {
		return false
	}
	value := keyEnd + len(beforeValue)
	switch {
	case t.at(value, beforeString):
		return t.stringPair(f, t.src[key:keyEnd], value+len(beforeString))
	case t.at(value, beforeInt):
		return t.intPair(f, t.src[key:keyEnd], value+len(beforeInt))
	}
	return false
}

// stringPair reads the text at the position as the value of a pair.
func (t *transcoder) stringPair(f *field, key []byte, text int) bool {
	end := plain(t.src, text)
	if !t.at(end, behindString) {
		return false
	}
	size := end - text
	d, n := t.openPair(f, key, 1+varintSize(uint64(size))+size, size)
	d[n] = tagString
	n++
	n += put(d[n:], uint64(size))
	n += copy(d[n:], t.src[text:end])
	t.dst = t.dst[:len(t.dst)+n]
	t.pos = end + len(behindString)
	return true
}

// intPair reads the whole number at the position, in digits alone, as the value of a pair.
func (t *transcoder) intPair(f *field, key []byte, digits int) bool {
	v, end := t.digits(digits)
	if end == 0 || v > math.MaxInt64 || !t.at(end, behindString) {
		return false
	}
	d, n := t.openPair(f, key, 1+varintSize(v), 0)
	d[n] = tagInt
	n++
	n += put(d[n:], v)
	t.dst = t.dst[:len(t.dst)+n]
	t.pos = end + len(behindString)
	return true
}

// openPair writes a pair up to its AnyValue of valueSize bytes behind what is there,
// and makes room for more bytes of text. It gives the room, and how much of it is used.
func (t *transcoder) openPair(f *field, key []byte, valueSize, more int) (d []byte, n int) {
	t.room(pairFrame + len(key) + more)
	d = t.dst[len(t.dst):cap(t.dst)]
	n = put(d, uint64(f.number)<<3|wireLen)
	n += put(d[n:], uint64(1+varintSize(uint64(len(key)))+len(key)+1+varintSize(uint64(valueSize))+valueSize))
	d[n] = tagKey
	n++
	n += put(d[n:], uint64(len(key)))
	n += copy(d[n:], key)
	d[n] = tagValue
	n++
	n += put(d[n:], uint64(valueSize))
	return d, n
}

// at tells whether a text stands at a position.
func (t *transcoder) at(pos int, text string) bool {
	return len(t.src)-pos >= len(text) && string(t.src[pos:pos+len(text)]) == text
}
