package snapshot

import (
	"math"
	"strconv"
)

// Hundredths is a number that the documents show with at most two decimals, and
// always with a decimal point: 850.5, 2048.0. Halves round away from zero. What
// is not finite is no number and shows as 0.0.
type Hundredths float64

// MarshalJSON implements json.Marshaler.
func (h Hundredths) MarshalJSON() ([]byte, error) { return appendRounded(nil, float64(h), 2), nil }

// Float gives the rounded value.
func (h Hundredths) Float() float64 { return round(float64(h), 2) }

// Thousandths is a number that the documents show with at most three decimals,
// otherwise as Hundredths: 0.685.
type Thousandths float64

// MarshalJSON implements json.Marshaler.
func (t Thousandths) MarshalJSON() ([]byte, error) { return appendRounded(nil, float64(t), 3), nil }

// Float gives the rounded value.
func (t Thousandths) Float() float64 { return round(float64(t), 3) }

// noise is the relative error that sums of binary fractions may have gathered. A
// half that lies below a half by no more than this is a half: the mean of 1.01
// and 1.0 is 1.005, though no binary fraction is.
const noise = 1e-13

// round rounds to decimals places, halves away from zero.
func round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	scaled := math.Abs(x) * scale
	if math.IsNaN(scaled) || math.IsInf(scaled, 0) {
		return 0
	}
	rounded := math.Floor(scaled+scaled*noise+0.5) / scale
	if rounded == 0 {
		return 0
	}
	return math.Copysign(rounded, x)
}

// appendRounded appends the rounded number with at least one decimal.
func appendRounded(dst []byte, x float64, decimals int) []byte {
	from := len(dst)
	dst = strconv.AppendFloat(dst, round(x, decimals), 'f', -1, 64)
	for _, c := range dst[from:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}
