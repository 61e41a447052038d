package pricing

import (
	"errors"
	"strconv"
	"strings"
)

// Rate is a price: nano-dollars for a million units (tokens, requests). A dollar
// a million tokens is 1e9. Every price with up to nine decimals is exact.
type Rate int64

// maxRate keeps every product with a count of at most 2^53 far inside 128 bits: a
// million dollars a million tokens.
const maxRate Rate = 1e15

// unknown marks a rate that the book does not have.
const unknown Rate = -1

// decimals is the number of decimal places that a Rate in dollars has.
const decimals = 9

// ParseRate reads a price in dollars a million units: digits with an optional
// fraction of at most nine, not negative.
func ParseRate(text string) (Rate, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	if whole == "" || dotted && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return 0, errors.New("want a price in dollars a million, such as 0.59")
	}
	if fraction = strings.TrimRight(fraction, "0"); len(fraction) > decimals {
		return 0, errors.New("a price has at most nine decimals")
	}
	nano, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
	if err != nil || Rate(nano) > maxRate {
		return 0, errors.New("a price is at most a million dollars a million")
	}
	return Rate(nano), nil
}

func allDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// String gives the price in dollars a million units, as ParseRate reads it.
func (r Rate) String() string {
	if r < 0 {
		return "unknown"
	}
	text := strconv.FormatInt(int64(r), 10)
	if len(text) <= decimals {
		text = strings.Repeat("0", decimals+1-len(text)) + text
	}
	at := len(text) - decimals
	return strings.TrimRight(strings.TrimRight(text[:at]+"."+text[at:], "0"), ".")
}

// UnmarshalJSON reads the number as it is written, not as a binary fraction.
func (r *Rate) UnmarshalJSON(data []byte) (err error) {
	*r, err = ParseRate(string(data))
	return err
}
