package understand

import (
	"bytes"
	"math"
	"strconv"
)

// maxJSONDepth bounds the nesting that is followed; what lies deeper is malformed.
const maxJSONDepth = 64

// json walks JSON text for the few values that matter and skips the rest without
// decoding it. It is lenient: it finds values, it does not validate. Once it
// meets what it cannot follow, or has spent its budget of bytes, bad is set and
// nothing more is found. Allocates nothing.
type json struct {
	b      []byte
	i      int
	budget int // bytes that may be read
	depth  int
	bad    bool
}

// next skips white space and gives the byte a value starts with, 0 at the end.
func (j *json) next() byte {
	for !j.bad && j.i < len(j.b) {
		if j.i >= j.budget {
			j.bad = true
			break
		}
		switch c := j.b[j.i]; c {
		case ' ', '\t', '\n', '\r':
			j.i++
		default:
			return c
		}
	}
	return 0
}

// str reads a string and gives its bytes between the quotes, escapes as they are.
func (j *json) str() []byte {
	if j.next() != '"' {
		j.bad = true
		return nil
	}
	start := j.i + 1
	at := start
	for {
		n := bytes.IndexByte(j.b[at:], '"')
		if n < 0 || at+n >= j.budget {
			j.bad = true
			return nil
		}
		at += n
		slashes := 0
		for at-1-slashes >= start && j.b[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			j.i = at + 1
			return j.b[start:at]
		}
		at++
	}
}

// skip passes over one value.
func (j *json) skip() {
	switch j.next() {
	case '"':
		j.str()
	case '{', '[':
		depth := 0
		for !j.bad {
			switch c := j.next(); c {
			case 0:
				j.bad = true
			case '"':
				j.str()
			case '{', '[':
				depth++
				j.i++
			case '}', ']':
				depth--
				j.i++
				if depth == 0 {
					return
				}
			default:
				j.i++
			}
		}
	case 0:
		j.bad = true
	default:
		j.scalar()
	}
}

// scalar reads a number or a word.
func (j *json) scalar() []byte {
	start := j.i
	for j.i < len(j.b) {
		switch j.b[j.i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':':
			if j.i == start {
				j.bad = true
			}
			return j.b[start:j.i]
		}
		j.i++
	}
	return j.b[start:j.i]
}

// enter passes the bracket that opens an array or object; false if there is none.
func (j *json) enter(open byte) bool {
	if j.next() != open {
		j.bad = true
		return false
	}
	j.i++
	j.depth++
	if j.depth > maxJSONDepth {
		j.bad = true
	}
	return !j.bad
}

// more tells whether another member follows, and passes the comma before it or
// the bracket that closes.
func (j *json) more(closing byte, first bool) bool {
	switch c := j.next(); {
	case c == closing:
		j.i++
		j.depth--
		return false
	case first && c != 0:
		return true
	case c == ',':
		j.i++
		return !j.bad
	}
	j.bad = true
	return false
}

// key reads the key of a member and the colon behind it.
func (j *json) key() []byte {
	k := j.str()
	if j.next() != ':' {
		j.bad = true
		return nil
	}
	j.i++
	return k
}

// number reads a number or a string that holds one; false for anything else, which it skips.
func (j *json) number() (float64, bool) {
	var text []byte
	switch c := j.next(); {
	case c == '"':
		text = bytes.TrimSpace(j.str())
	case c == '-' || '0' <= c && c <= '9' || c == 'N' || c == 'I':
		text = j.scalar()
	default:
		j.skip()
		return 0, false
	}
	if n, ok := decimal(text); ok {
		return n, true
	}
	if len(text) == 0 || len(text) > 32 || bytes.ContainsAny(text, "xX_pP") {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(text), 64)
	return n, err == nil || math.IsInf(n, 0)
}

// decimal reads what scores and counts look like: at most 15 digits and a point
// among them. Both the digits and the power of ten are exact then, so that their
// quotient is the number that strconv gives.
func decimal(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 15 {
		return 0, false
	}
	var digits uint64
	point := -1
	for i, c := range text {
		switch {
		case '0' <= c && c <= '9':
			digits = digits*10 + uint64(c-'0')
		case c == '.' && point < 0 && i > 0 && i < len(text)-1:
			point = i
		default:
			return 0, false
		}
	}
	if point < 0 {
		return float64(digits), true
	}
	return float64(digits) / tens[len(text)-1-point], true
}

var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// unconsumed tells whether a run's output is a generator or a response object, by
// its Python or JavaScript representation, bare or as the one value of an object:
// its run ended before its work did. Real outputs are longer or look different.
func unconsumed(output []byte) bool {
	if len(output) > 512 {
		return false
	}
	at := bytes.IndexAny(output, "<[")
	if at < 0 {
		return false
	}
	for _, c := range output[:at] {
		switch {
		case 'a' <= c && c <= 'z', c == '{', c == '"', c == ':', c == ' ', c == '_':
		default:
			return false
		}
	}
	text := output[at:]
	for _, start := range generators {
		if bytes.HasPrefix(text, start) {
			return true
		}
	}
	return text[0] == '<' && bytes.Contains(text, []byte(" object at 0x"))
}

var generators = [][]byte{
	[]byte("<generator object "), []byte("<async_generator object "), []byte("<coroutine object "),
	[]byte("[object Generator]"), []byte("[object AsyncGenerator]"), []byte("[object ReadableStream]"),
}
