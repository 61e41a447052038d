package snapshot

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{Hundredths(0), "0.0"},
		{Hundredths(2048), "2048.0"},
		{Hundredths(850.5), "850.5"},
		{Hundredths(96.666666), "96.67"},
		{Hundredths(0.125), "0.13"},
		{Hundredths(-0.125), "-0.13"},
		{Hundredths(1.005), "1.01"},
		{Hundredths(0.1 + 0.2), "0.3"},
		{Hundredths(0.004), "0.0"},
		{Hundredths(-0.004), "0.0"},
		{Hundredths(99.994), "99.99"},
		{Hundredths(1e9), "1000000000.0"},
		{Hundredths(math.NaN()), "0.0"},
		{Hundredths(math.Inf(-1)), "0.0"},
		{Hundredths(math.MaxFloat64), "0.0"},
		{Thousandths(0.685), "0.685"},
		{Thousandths(0.6845), "0.685"},
		{Thousandths(1), "1.0"},
		{Thousandths(0.0005), "0.001"},
	} {
		got, err := json.Marshal(c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%#v is shown as %s (%v), want %s", c.value, got, err, c.want)
		}
	}
}

// Decimal fractions, halves above all, round as arithmetic on paper does.
func TestRoundingIsThatOfDecimals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		thousandths := rapid.Int64Range(-1e12, 1e12).Draw(rt, "thousandths")
		want := thousandths / 10
		switch rest := thousandths % 10; {
		case rest >= 5:
			want++
		case rest <= -5:
			want--
		}
		text, _ := json.Marshal(Hundredths(float64(thousandths) / 1000))
		got, ok := new(big.Rat).SetString(string(text))
		if !ok || got.Cmp(big.NewRat(want, 100)) != 0 {
			rt.Errorf("%d thousandths are shown as %s, want %d hundredths", thousandths, text, want)
		}
		if _, fraction, found := strings.Cut(string(text), "."); !found || len(fraction) > 2 || len(fraction) == 2 && fraction[1] == '0' {
			rt.Errorf("%s has no point or too many decimals", text)
		}
	})
}
