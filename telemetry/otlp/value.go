package otlp

import (
	"bytes"
	"math"
	"strconv"
)

// longestNumber bounds the text that is read as a number, in bytes.
const longestNumber = 64

// Number reads a number leniently: an Int, a Double, or a String that holds a
// decimal number, with white space around it or not. NaN and infinities, also as
// text, are numbers here: whether they make sense is for the caller to judge. ok is
// false for everything else. Ints beyond 2^53 lose precision; see Integer.
func (v Value) Number() (n float64, ok bool) {
	switch v.Type {
	case Int:
		return float64(v.Int()), true
	case Double:
		return v.Double(), true
	case String:
		text, ok := numeric(v.Bytes)
		if !ok {
			return 0, false
		}
		n, err := strconv.ParseFloat(string(text), 64)
		return n, err == nil || math.IsInf(n, 0)
	default:
		return 0, false
	}
}

// Integer reads a whole number as leniently as Number. ok tells that there is a
// number, exact that n is it: a fraction is dropped towards zero, what does not
// fit is the nearest int64, and NaN is 0, all three inexact.
func (v Value) Integer() (n int64, ok, exact bool) {
	switch v.Type {
	case Int:
		return v.Int(), true, true
	case String:
		if text, ok := numeric(v.Bytes); ok {
			if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
				return n, true, true
			}
		}
	}
	f, ok := v.Number()
	switch {
	case !ok || math.IsNaN(f):
		return 0, ok, false
	case f >= 1<<63:
		return math.MaxInt64, true, false
	case f < -1<<63:
		return math.MinInt64, true, false
	}
	n = int64(f)
	return n, true, float64(n) == f
}

// Truth reads a truth value leniently: a Bool, or a String that says true or false
// in any case. ok is false for everything else.
func (v Value) Truth() (truth, ok bool) {
	switch v.Type {
	case Bool:
		return v.Num != 0, true
	case String:
		text := bytes.TrimSpace(v.Bytes)
		if bytes.EqualFold(text, []byte("true")) {
			return true, true
		}
		return false, bytes.EqualFold(text, []byte("false"))
	default:
		return false, false
	}
}

// numeric gives the trimmed text of what strconv may read as a decimal number: it
// excludes hexadecimal notation and underscores, which nobody means as a number here.
func numeric(b []byte) ([]byte, bool) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > longestNumber {
		return nil, false
	}
	for _, c := range b {
		if c == '_' || c == 'x' || c == 'X' {
			return nil, false
		}
	}
	return b, true
}
