package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads the string at t.pos and appends it with its length.
func (t *transcoder) text() bool {
	start := t.pos + 1
	end := plain(t.src, start)
	if end < len(t.src) && t.src[end] == '"' {
		t.varint(uint64(end - start))
		t.dst = append(t.dst, t.src[start:end]...)
		t.pos = end + 1
		return true
	}
	at := len(t.dst)
	dst, ok := t.appendString(append(t.dst, 0, 0))
	t.dst = closeMessage(dst, at, 2)
	return ok
}

// appendString appends what the string at t.pos stands for.
func (t *transcoder) appendString(dst []byte) ([]byte, bool) {
	t.pos++
	for {
		start := t.pos
		t.pos = plain(t.src, start)
		dst = append(dst, t.src[start:t.pos]...)
		switch {
		case t.pos >= len(t.src):
			return dst, t.fail("a string without an end")
		case t.src[t.pos] == '"':
			t.pos++
			return dst, true
		case t.src[t.pos] != '\\':
			return dst, t.fail("a control character in a string")
		}
		r, ok := t.escape()
		if !ok {
			return dst, false
		}
		dst = utf8.AppendRune(dst, r)
	}
}

// escape reads the escape sequence at t.pos, two of them if they are a surrogate
// pair; half a pair is U+FFFD.
func (t *transcoder) escape() (rune, bool) {
	if t.pos+1 >= len(t.src) {
		return 0, t.fail("a string without an end")
	}
	c := t.src[t.pos+1]
	if c == 'u' {
		return t.unicode()
	}
	r := unescape(c)
	if r == 0 {
		return 0, t.fail("an unknown escape sequence")
	}
	t.pos += 2
	return r, true
}

func unescape(c byte) rune {
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return 0
	}
}

func (t *transcoder) unicode() (rune, bool) {
	r := hex4(t.src, t.pos)
	if r < 0 {
		return 0, t.fail("an escape sequence without four hexadecimal digits")
	}
	t.pos += 6
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	if second := hex4(t.src, t.pos); second >= 0 {
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			t.pos += 6
			return pair, true
		}
	}
	return utf8.RuneError, true
}

// hex4 gives the value of \uXXXX at i, -1 if it is not there.
func hex4(b []byte, i int) rune {
	if len(b)-i < 6 || b[i] != '\\' || b[i+1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[i+2 : i+6] {
		d := nibbles[c]
		if d > 15 {
			return -1
		}
		r = r<<4 | rune(d)
	}
	return r
}

// nibbles has the value of every hexadecimal digit, 0xff for every other byte.
var nibbles = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i := range byte(10) {
		table['0'+i] = i
	}
	for i := range byte(6) {
		table['a'+i], table['A'+i] = 10+i, 10+i
	}
	return table
}()

// hexWord gives the four bytes that eight hexadecimal digits stand for, the first
// lowest as the digits are; false if they are not all digits.
func hexWord(w uint64) (uint32, bool) {
	letter := w | 0x20*lowBits
	// The high bit of each byte tells whether it is at least a bound.
	digits := (w + (0x80-'0')*lowBits) &^ (w + (0x80-'9'-1)*lowBits)
	letters := (letter + (0x80-'a')*lowBits) &^ (letter + (0x80-'f'-1)*lowBits)
	if (digits|letters)&^w&highBits != highBits {
		return 0, false
	}
	n := w&(0x0f*lowBits) + 9*(w>>6&lowBits)
	n = (n<<4 | n>>8) & 0x00ff00ff00ff00ff
	n = (n | n>>8) & 0x0000ffff0000ffff
	return uint32(n | n>>16), true
}

// hex reads the id at t.pos and appends it with its length.
func (t *transcoder) hex() bool {
	text, ok := t.name()
	if !ok {
		return false
	}
	at := len(t.dst)
	size := len(text) / 2
	t.varint(uint64(size))
	t.room(size)
	from := len(t.dst)
	t.dst = t.dst[:from+size]
	id := t.dst[from:]
	i := 0
	for ; len(id)-i >= 4; i += 4 {
		four, ok := hexWord(binary.LittleEndian.Uint64(text[2*i:]))
		if !ok {
			return t.fail("an id that is not hexadecimal")
		}
		binary.LittleEndian.PutUint32(id[i:], four)
	}
	var all byte
	for ; i < len(id); i++ {
		high, low := nibbles[text[2*i]], nibbles[text[2*i+1]]
		all |= high | low
		id[i] = high<<4 | low
	}
	if len(text)%2 != 0 {
		all |= nibbles[text[len(text)-1]]
		t.dst = append(t.dst[:at], 1, 0xff)
	}
	if all > 15 {
		return t.fail("an id that is not hexadecimal")
	}
	return true
}

// base64 reads the bytes at t.pos and appends them with their length.
func (t *transcoder) base64() bool {
	text, ok := t.unescaped()
	if !ok {
		return false
	}
	for i, c := range text {
		switch c {
		case '-':
			text[i] = '+'
		case '_':
			text[i] = '/'
		}
	}
	text = bytes.TrimRight(text, "=")
	at := len(t.dst)
	dst, err := base64.RawStdEncoding.AppendDecode(append(t.dst, 0, 0), text)
	t.dst = closeMessage(dst, at, 2)
	if err != nil {
		return t.fail("bytes that are not base64")
	}
	return true
}
