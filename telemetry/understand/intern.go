package understand

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// maxText bounds the texts kept of a span, in bytes.
const maxText = 128

// interner gives one string for equal bytes, so that spans share their texts. It
// is bounded: of the texts that fall into one of its sets the one asked for least
// lately is forgotten. Strings given stay valid.
type interner struct {
	sets []textSet // made at the first text
	mask uint
}

// textSet holds texts of one hash, the one asked for last in front. It is one
// cache line.
type textSet [4]string

// newInterner makes an interner of at least so many texts.
func newInterner(size int) *interner {
	n := max(1, size/len(textSet{}))
	return &interner{mask: 1<<bits.Len(uint(n-1)) - 1}
}

// get gives b as a string, cut to maxText bytes and made valid UTF-8.
func (n *interner) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxText {
		b = cut(b)
	}
	if n.sets == nil {
		n.sets = make([]textSet, n.mask+1)
	}
	set := &n.sets[scatter(b)&n.mask]
	if set[0] == string(b) {
		return set[0]
	}
	last := len(set) - 1
	for i := 1; i <= last; i++ {
		if s := set[i]; s == string(b) {
			copy(set[1:i+1], set[:i])
			set[0] = s
			return s
		}
	}
	copy(set[1:], set[:last])
	// What is not valid is found again only by chance, and so made again.
	set[0] = valid(b)
	return set[0]
}

func cut(b []byte) []byte {
	b = b[:maxText]
	for len(b) > 0 && !utf8.RuneStart(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	if r, size := utf8.DecodeLastRune(b); r == utf8.RuneError && size <= 1 && len(b) > 0 {
		b = b[:len(b)-1]
	}
	return b
}

func valid(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}

// scatter gives a number for a table of short texts: a mix of the length with the
// first, the middle and the last bytes. Texts made to collide cost no more than the misses
// of a table that is too small.
func scatter(b []byte) uint {
	var lo, mid, hi uint64
	n := len(b)
	switch {
	case n >= 8:
		lo = binary.LittleEndian.Uint64(b)
		mid = binary.LittleEndian.Uint64(b[(n-8)/2:])
		hi = binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		lo = uint64(binary.LittleEndian.Uint32(b))
		hi = uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		lo = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	x, y := bits.Mul64(lo^0x9e3779b97f4a7c15^uint64(n)<<56, hi^bits.RotateLeft64(mid, 23)^0xd6e8feb86659fd93)
	return uint(x ^ y)
}
