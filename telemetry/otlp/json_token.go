package otlp

import (
	"encoding/binary"
	"math/bits"
)

// space goes past white space and gives the byte behind it, 0 at the end.
func (t *transcoder) space() byte {
	for t.pos < len(t.src) {
		c := t.src[t.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		t.pos++
	}
	return 0
}

func (t *transcoder) literal(word string) bool {
	if len(t.src)-t.pos < len(word) || string(t.src[t.pos:t.pos+len(word)]) != word {
		return t.fail("expected " + word)
	}
	t.pos += len(word)
	return true
}

// name reads the string at t.pos; what it gives is valid until the next string.
func (t *transcoder) name() ([]byte, bool) {
	start := t.pos + 1
	end := plain(t.src, start)
	if end < len(t.src) && t.src[end] == '"' {
		t.pos = end + 1
		return t.src[start:end], true
	}
	return t.unescaped()
}

// unescaped reads the string at t.pos into the scratch.
func (t *transcoder) unescaped() ([]byte, bool) {
	var ok bool
	t.scratch, ok = t.appendString(t.scratch[:0])
	return t.scratch, ok
}

// word-wise search in strings: eight bytes at a time.
const (
	lowBits   = 0x0101010101010101
	highBits  = 0x8080808080808080
	slashes   = '\\' * lowBits
	wordBytes = 8
	// swapped turns a quote into a space and a space into a quote, and what is below
	// a space into something below a space: whatever is below beneath ends a run.
	swapped = 2 * lowBits
	beneath = (' ' + 1) * lowBits
)

// plain gives the end of the run of bytes from i that stand for themselves in a
// string: up to a quote, a backslash, a control character or the end of b. Most
// strings are short; long ones are content and go four words at a time.
func plain(b []byte, i int) int {
	for short := i + 4*wordBytes; i < short && len(b)-i >= wordBytes; i += wordBytes {
		if hit := special(b[i:]); hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; len(b)-i >= 4*wordBytes; i += 4 * wordBytes {
		four := b[i : i+4*wordBytes]
		if special(four)|special(four[wordBytes:])|special(four[2*wordBytes:])|special(four[3*wordBytes:]) != 0 {
			break
		}
	}
	for ; len(b)-i >= wordBytes; i += wordBytes {
		if hit := special(b[i:]); hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

// special marks the high bit of the first byte of eight that does not stand for
// itself; what it marks above that one means nothing.
func special(b []byte) uint64 {
	w := binary.LittleEndian.Uint64(b)
	return (((w ^ swapped) - beneath) | ((w ^ slashes) - lowBits)) &^ w & highBits
}

// skipValue goes past the value at t.pos, which starts with c, and holds it to the grammar.
func (t *transcoder) skipValue(c byte) bool {
	switch c {
	case '{':
		return t.skipObject()
	case '[':
		return t.skipArray()
	case '"':
		return t.skipString()
	case 't':
		return t.literal("true")
	case 'f':
		return t.literal("false")
	case 'n':
		return t.literal("null")
	default:
		_, ok := t.numeral()
		return ok
	}
}

func (t *transcoder) skipObject() bool {
	if !t.enter() {
		return false
	}
	t.pos++
	c := t.space()
	for c != '}' {
		if c != '"' {
			return t.fail("expected a name")
		}
		if !t.skipString() {
			return false
		}
		if t.space() != ':' {
			return t.fail("expected a colon")
		}
		t.pos++
		if !t.skipValue(t.space()) {
			return false
		}
		if c = t.space(); c == ',' {
			t.pos++
			if c = t.space(); c == '}' {
				return t.fail("a comma before the end")
			}
		} else if c != '}' {
			return t.fail("expected a comma or the end of the object")
		}
	}
	t.pos++
	t.nesting--
	return true
}

func (t *transcoder) skipArray() bool {
	if !t.enter() {
		return false
	}
	t.pos++
	c := t.space()
	for c != ']' {
		if !t.skipValue(c) {
			return false
		}
		var ok bool
		if c, ok = t.separator(); !ok {
			return false
		}
	}
	t.pos++
	t.nesting--
	return true
}

func (t *transcoder) skipString() bool {
	t.pos++
	for {
		t.pos = plain(t.src, t.pos)
		switch {
		case t.pos >= len(t.src):
			return t.fail("a string without an end")
		case t.src[t.pos] == '"':
			t.pos++
			return true
		case t.src[t.pos] != '\\':
			return t.fail("a control character in a string")
		}
		if _, ok := t.escape(); !ok {
			return false
		}
	}
}

// numeral reads a number by the grammar of JSON.
func (t *transcoder) numeral() ([]byte, bool) {
	b, i := t.src, t.pos
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := i
	i = pastDigits(b, i)
	if i == digits {
		return nil, t.fail("expected a value")
	}
	if b[digits] == '0' && i > digits+1 {
		return nil, t.fail("a number with a leading zero")
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = pastDigits(b, fraction); i == fraction {
			return nil, t.fail("a number without digits behind its point")
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		if i = pastDigits(b, exponent); i == exponent {
			return nil, t.fail("a number without digits in its exponent")
		}
	}
	text := b[t.pos:i]
	t.pos = i
	return text, true
}

func pastDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}
