package redact

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNothingSuspiciousIsPassed holds the scan that takes sixteen bytes at a time to
// a look at every eight of them.
func TestNothingSuspiciousIsPassed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	alphabets := []string{
		"abcdef ", "0123456789 .-", "abc012789ABZ_[/:~@% ", "A1b2C3d4_-", "\\u2011 (+)0123456789", "éã\u2011\u00a00123456789", "sk-proj_AKIAlsv2Bearer 09",
		"-----BEGIN PRIVATE KEY-----\n", "\x00\x7f\x80\xff\x2c\x2d09AZ",
	}
	stops := 0
	for range 20_000 {
		alphabet := alphabets[r.IntN(len(alphabets))]
		b := make([]byte, r.IntN(96))
		for k := range b {
			b[k] = alphabet[r.IntN(len(alphabet))]
		}
		from := r.IntN(len(b) + 1)
		want, checked := len(b), 0
		for i := from; i < len(b); i += 8 {
			at := min(i, len(b)-8)
			stop := at < 0
			if !stop {
				stop, checked = suspicious(b, at, checked)
			}
			if stop {
				want = i
				stops++
				break
			}
		}
		if got := suspect(b, from, len(b)); got != want {
			t.Fatalf("%q from %d: stops at %d, not %d", b, from, got, want)
		}
	}
	if stops < 1000 {
		t.Errorf("only %d of the texts are suspicious", stops)
	}
}

// TestSkim holds the look at sixteen bytes to one at every byte.
func TestSkim(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const edges = "\x00,-./09:;@AZ[`az{\x7f\x80\xaf\xb0\xda\xdb\xff"
	stops := 0
	for range 100_000 {
		// Among what does not tell, sometimes what may.
		b := []byte(strings.Repeat(edges[:2]+"abc xyz, ", 16))[:16*r.IntN(8)]
		for range r.IntN(1 + len(b)/2) {
			b[r.IntN(len(b))] = edges[r.IntN(len(edges))]
		}
		want := len(b)
		for i := 0; i < len(b); i += 8 {
			n, key := 0, true
			for _, c := range b[i : i+8] {
				if '0' <= c && c <= 'Z' {
					n++
				}
				key = key && inRun(c)
			}
			if n >= fewest || n > 0 && key {
				want = i
				stops++
				break
			}
		}
		if got := skim(b); got != want {
			t.Fatalf("%q: %d, want %d", b, got, want)
		}
	}
	if stops < 10_000 || stops > 90_000 {
		t.Errorf("%d of the texts tell", stops)
	}
}

// TestTogether holds the table of digits and letters to reading them.
func TestTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		var b [8]byte
		for k := range b {
			b[k] = "0189abzAZ -./(+\\@[`{\x80\xe1"[r.IntN(22)]
		}
		n, want := 0, false
		var digits uint64
		for k, c := range b {
			switch {
			case isDigit(c):
				digits |= 0x80 << (8 * k)
				n++
				want = want || n == fewest
			case isLetter(c):
				n = 0
			}
		}
		w := binary.LittleEndian.Uint64(b[:])
		if got := together(digits, w&lowBits, w); got != want {
			t.Fatalf("%q: %v", b[:], got)
		}
	}
}

// TestSigns finds at signs of both kinds in the order of their places.
func TestSigns(t *testing.T) {
	text := "a@b %40 %4 @@ %40%40 %41 100% @"
	for from := range len(text) + 1 {
		var want, got []int
		for i := from; i < len(text); i++ {
			if text[i] == '@' || strings.HasPrefix(text[i:], "%40") {
				want = append(want, i)
			}
		}
		s := signsOf([]byte(text), from)
		for i := s.next(from); i < len(text); i = s.next(i + 1) {
			got = append(got, i)
		}
		if len(want) != len(got) {
			t.Fatalf("from %d: %v, not %v", from, got, want)
		}
		for k := range want {
			if want[k] != got[k] {
				t.Fatalf("from %d: %v, not %v", from, got, want)
			}
		}
	}
}

// TestDenseText redacts text that is nothing but what is looked for: what has many of
// one kind is not read again for another at each of them. Where the time grows with the
// square of the size this takes minutes.
func TestDenseText(t *testing.T) {
	rules := Brazil()
	rules.Patterns = []Pattern{{Name: "one", Match: "1"}, {Name: "two", Match: "[12]"}}
	brazil, own := made(t, Brazil()), made(t, rules)
	for _, c := range []struct {
		red  *Redactor
		unit string
		size int
	}{{brazil, "@", 2 << 20}, {brazil, "%40", 2 << 20}, {brazil, "a@b.c ", 2 << 20}, {own, "12", 1 << 19}} {
		if _, err := c.red.Traces(spansOf(1, strings.Repeat(c.unit, c.size/len(c.unit)))); err != nil {
			t.Error(err)
		}
	}
}
