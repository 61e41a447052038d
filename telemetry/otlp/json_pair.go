package otlp

// What compact writers put around the parts of an attribute.
const (
	beforeKey    = `{"key":"`
	beforeValue  = `","value":`
	beforeString = `{"stringValue":"`
	behindString = `"}}`
)

// pair reads the KeyValue at t.pos if it is written compactly and in the usual
// order, which most of a request is made of, and tells whether it did; if not,
// nothing has happened.
func (t *transcoder) pair(f *field) bool {
	if t.values >= MaxDepth || t.nesting+2 > maxNesting || !t.at(t.pos, beforeKey) {
		return false
	}
	key := t.pos + len(beforeKey)
	keyEnd := plain(t.src, key)
	if !t.at(keyEnd, beforeValue) || !t.at(keyEnd+len(beforeValue), beforeString) {
		return false
	}
	text := keyEnd + len(beforeValue) + len(beforeString)
	end := plain(t.src, text)
	if !t.at(end, behindString) {
		return false
	}
	keySize, size := keyEnd-key, end-text
	valueSize := 1 + varintSize(uint64(size)) + size
	d := appendTag(t.dst, f.number, wireLen)
	d = appendVarint(d, uint64(1+varintSize(uint64(keySize))+keySize+1+varintSize(uint64(valueSize))+valueSize))
	d = appendText(d, 1, t.src[key:keyEnd])
	d = appendVarint(appendTag(d, 2, wireLen), uint64(valueSize))
	t.dst = appendText(d, 1, t.src[text:end])
	t.pos = end + len(behindString)
	return true
}

// at tells whether a text stands at a position.
func (t *transcoder) at(pos int, text string) bool {
	return len(t.src)-pos >= len(text) && string(t.src[pos:pos+len(text)]) == text
}
