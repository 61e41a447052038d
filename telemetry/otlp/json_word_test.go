package otlp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPlainEndsWhereAByteDoesNotStandForItself looks for every byte at every place of
// words and of runs of words, with bytes around it that are near in value.
func TestPlainEndsWhereAByteDoesNotStandForItself(t *testing.T) {
	near := []byte{' ', '!', '#', '[', ']', 'a', 0x7f, 0x80, 0xa0, 0xa1, 0xa2, 0xdc, 0xff}
	r := rand.New(rand.NewPCG(1, 2))
	for c := range 256 {
		ends := c < ' ' || c == '"' || c == '\\'
		for place := range 48 {
			b := make([]byte, 64)
			for i := range b {
				b[i] = near[r.IntN(len(near))]
			}
			b[place] = byte(c)
			b[60] = '"'
			want := 60
			if ends {
				want = place
			}
			if got := plain(b, 0); got != want {
				t.Fatalf("%q: ends at %d, want %d", b, got, want)
			}
		}
	}
}

// TestHexWord holds eight digits at once to the library's reading, and puts every byte at
// every place.
func TestHexWord(t *testing.T) {
	for c := range 256 {
		for place := range 16 {
			id := []byte("0123456789abCDEF")
			id[place] = byte(c)
			want, err := hex.DecodeString(string(id))
			got, gotErr := TracesFromJSON(nil, fmt.Appendf(nil, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"%s"}]}]}]}`, escaped(id)))
			if (err == nil) != (gotErr == nil) {
				t.Fatalf("%q: %v, want %v", id, gotErr, err)
			}
			if err == nil && !bytes.HasSuffix(got, want) {
				t.Errorf("%q became %x", id, got)
			}
		}
	}
}

// escaped writes bytes as the JSON escapes of the characters of these numbers.
func escaped(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\u%04x`, c)
	}
	return s.String()
}

// TestNumbersInDigits compares numbers of every length with what the library makes of them,
// as an attribute and as a time.
func TestNumbersInDigits(t *testing.T) {
	for _, digits := range []string{
		"0", "7", "007", "127", "128", "16383", "16384", "999999999999999999", "1000000000000000000",
		"9223372036854775807", "-1", "-9223372036854775808",
	} {
		compareJSON(t, signals["traces"], fmt.Appendf(nil,
			`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"%s","attributes":[{"key":"k","value":{"intValue":"%s"}}]}]}]}]}`,
			strings.TrimPrefix(digits, "-"), digits))
	}
	for _, digits := range []string{"", "-", "9223372036854775808", "18446744073709551615", "99999999999999999999", "1x", "1 "} {
		body := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":{"intValue":"` + digits + `"}}]}]}]}]}`
		if _, err := TracesFromJSON(nil, []byte(body)); err == nil {
			t.Errorf("the whole number %q is taken", digits)
		}
		for cut := range len(body) {
			if _, err := TracesFromJSON(nil, []byte(body[:cut])); err == nil {
				t.Errorf("%s is taken", body[:cut])
			}
		}
	}
	compareJSON(t, signals["traces"], []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"18446744073709551615"}]}]}]}`))
}
