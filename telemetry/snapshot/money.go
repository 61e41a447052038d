package snapshot

import (
	"math"
	"strconv"
)

// USD is an amount of money in billionths of a dollar. As JSON it is a number of
// dollars with all its decimals.
type USD int64

// MarshalJSON writes dollars, exactly.
func (u USD) MarshalJSON() ([]byte, error) {
	const one = 1_000_000_000
	var b []byte
	if u < 0 {
		b = append(b, '-')
	}
	whole, rest := uint64(u)/one, uint64(u)%one
	if u < 0 {
		whole, rest = -uint64(u)/one, -uint64(u)%one
	}
	b = append(strconv.AppendUint(b, whole, 10), '.')
	fraction := strconv.FormatUint(one+rest, 10)[1:]
	end := len(fraction)
	for end > 1 && fraction[end-1] == '0' {
		end--
	}
	return append(b, fraction[:end]...), nil
}

// in converts into a currency of which a dollar buys so many units.
func (u USD) in(unitsPerUSD float64) Amount { return Amount(float64(u) / nanos * unitsPerUSD) }

// Amount is an amount in the currency for display, shown with six decimals at most.
type Amount float64

// MarshalJSON writes up to six decimals, at least one, never an exponent.
func (a Amount) MarshalJSON() ([]byte, error) {
	v := math.Round(float64(a)*1e6) / 1e6
	b := strconv.AppendFloat(nil, v, 'f', -1, 64)
	if v == math.Trunc(v) {
		b = append(b, ".0"...)
	}
	return b, nil
}
