package langsmith

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are how SDKs spell a moment; one without a zone is UTC.
var layouts = [...]string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
}

// moment reads a time in Unix nanoseconds: ISO 8601 text, or a number of
// milliseconds since 1970. 0 is none, or one that cannot be read.
func moment(b []byte) int64 {
	if !told(b) {
		return 0
	}
	if b[0] != '"' {
		ms, err := strconv.ParseFloat(string(b), 64)
		if err != nil || !(ms > 0 && ms < math.MaxInt64/1e6) {
			return 0
		}
		// The fraction is of microseconds at most: a float holds no more here.
		return int64(math.Round(ms*1e3)) * 1e3
	}
	text := textOf(b)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			if year := t.Year(); year < 1970 || year > 2200 {
				return 0
			}
			return t.UnixNano()
		}
	}
	return 0
}

// order is what a dotted order says: segments of a time and a run id, the trace's
// root first.
type order struct {
	root, parent, self ID
	start              int64 // Unix nanoseconds of the last segment
}

// orderLayout is the time of a segment, in which no dot separates microseconds.
const orderLayout = "20060102T150405"

func readOrder(text string) (o order) {
	segments := strings.Split(text, ".")
	if len(text) > 64<<10 {
		return order{}
	}
	ids := make([]ID, 0, len(segments))
	for _, s := range segments {
		if len(s) < 36 {
			return order{}
		}
		id, err := ParseID(s[len(s)-36:])
		if err != nil {
			return order{}
		}
		ids = append(ids, id)
	}
	n := len(ids)
	o.root, o.self = ids[0], ids[n-1]
	if n > 1 {
		o.parent = ids[n-2]
	}
	last := segments[n-1]
	digits := strings.TrimSuffix(last[:len(last)-36], "Z")
	if len(digits) < len(orderLayout) {
		return o
	}
	t, err := time.Parse(orderLayout, digits[:len(orderLayout)])
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return o
	}
	fraction := (digits[len(orderLayout):] + "000000000")[:9]
	if n, err := strconv.ParseUint(fraction, 10, 32); err == nil {
		o.start = t.UnixNano() + int64(n)
	}
	return o
}
