package otlp

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// number reads a number, truth value or enum at t.pos, which starts with c, and
// appends it without a tag.
func (t *transcoder) number(f *field, c byte) bool {
	if f.kind == kindBool {
		return t.truth(c)
	}
	quoted := c == '"'
	if quoted && f.kind != kindDouble && f.kind != kindEnum {
		if n, end := t.digits(t.pos + 1); end > 0 && t.src[end] == '"' {
			t.pos = end + 1
			return t.integer(f, n, false)
		}
	}
	var text []byte
	var ok bool
	if quoted {
		text, ok = t.name()
	} else {
		text, ok = t.numeral()
	}
	if !ok {
		return false
	}
	switch f.kind {
	case kindDouble:
		return t.double(text)
	case kindEnum:
		if quoted {
			return t.enum(f, text)
		}
	}
	n, negative, ok := whole(text)
	if !ok {
		return t.fail("expected a whole number")
	}
	return t.integer(f, n, negative)
}

// digits reads up to safeDigits decimal digits from a position on, and gives where
// they end within the body; 0 where there are none or more.
func (t *transcoder) digits(from int) (n uint64, end int) {
	for i, c := range t.src[min(from, len(t.src)):min(from+safeDigits+1, len(t.src))] {
		d := uint64(c - '0')
		if d <= 9 {
			n = n*10 + d
			continue
		}
		if i > 0 {
			return n, from + i
		}
		break
	}
	return 0, 0
}

// integer appends a whole number, given as its magnitude and sign.
func (t *transcoder) integer(f *field, n uint64, negative bool) bool {
	if !fits(f.kind, n, negative) {
		return t.fail("a number out of range")
	}
	if negative {
		n = -n
	}
	switch {
	case f.wire == wireI64:
		t.fixed64(n)
	case f.wire == wireI32:
		t.dst = binary.LittleEndian.AppendUint32(t.dst, uint32(n))
	case f.kind == kindSint32:
		t.varint(uint64(uint32(n)<<1 ^ uint32(int32(n)>>31)))
	default:
		t.varint(n)
	}
	return true
}

func (t *transcoder) truth(c byte) bool {
	switch c {
	case 't':
		t.dst = append(t.dst, 1)
		return t.literal("true")
	case 'f':
		t.dst = append(t.dst, 0)
		return t.literal("false")
	default:
		return t.fail("expected true or false")
	}
}

func (t *transcoder) enum(f *field, text []byte) bool {
	n := slices.IndexFunc(f.enum, func(name string) bool { return name == string(text) })
	if n < 0 {
		return t.fail("an unknown name of an enum")
	}
	t.varint(uint64(n))
	return true
}

func (t *transcoder) double(text []byte) bool {
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return t.fail("expected a number")
	}
	t.fixed64(math.Float64bits(n))
	return true
}

// safeDigits is how many decimal digits a uint64 always holds.
const safeDigits = 19

// whole reads a whole number as its magnitude and sign. A fraction of zeros and an
// exponent are fine as long as the value is whole and a double holds it.
func whole(text []byte) (n uint64, negative, ok bool) {
	digits := text
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return 0, false, false
	}
	for i, c := range digits {
		d := uint64(c - '0')
		if d > 9 {
			return wholeDouble(text)
		}
		if i >= safeDigits && n > (math.MaxUint64-d)/10 {
			return 0, false, false
		}
		n = n*10 + d
	}
	return n, negative, true
}

func wholeDouble(text []byte) (n uint64, negative, ok bool) {
	if _, ok := numeric(text); !ok {
		return 0, false, false
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false, false
	}
	return uint64(math.Abs(f)), f < 0, true
}

// fits tells whether a whole number is in the range of a kind.
func fits(k kind, n uint64, negative bool) bool {
	switch k {
	case kindInt32, kindSint32, kindEnum:
		return n <= math.MaxInt32 || negative && n == 1<<31
	case kindUint32, kindFixed32:
		return n <= math.MaxUint32 && (!negative || n == 0)
	case kindInt64, kindSfixed64:
		return n <= math.MaxInt64 || negative && n == 1<<63
	default:
		return !negative || n == 0
	}
}
