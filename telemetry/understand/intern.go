package understand

import "unicode/utf8"

// maxText bounds the texts kept of a span, in bytes.
const maxText = 128

// interner gives one string for equal bytes, so that spans share their texts. It
// is bounded: two generations of at most size entries, the older forgotten when
// the younger is full. Strings given stay valid.
type interner struct {
	young, old map[string]string
	size       int
}

func newInterner(size int) *interner {
	return &interner{young: make(map[string]string), old: make(map[string]string), size: size}
}

// get gives b as a string, cut to maxText bytes and made valid UTF-8.
func (n *interner) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxText {
		b = b[:maxText]
		for len(b) > 0 && !utf8.RuneStart(b[len(b)-1]) {
			b = b[:len(b)-1]
		}
		if r, size := utf8.DecodeLastRune(b); r == utf8.RuneError && size <= 1 && len(b) > 0 {
			b = b[:len(b)-1]
		}
	}
	if s, ok := n.young[string(b)]; ok {
		return s
	}
	s, ok := n.old[string(b)]
	if !ok {
		s = valid(b)
	}
	if len(n.young) >= n.size {
		n.old, n.young = n.young, n.old
		clear(n.young)
	}
	n.young[string(b)] = s
	return s
}

func valid(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}
