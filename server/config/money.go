package config

import (
	"math"
	"strings"
)

// Retrieval says what is expected of searches.
type Retrieval struct {
	// Threshold is the similarity that the best document of a search should reach.
	Threshold float64 `yaml:"threshold"`
}

// Prices say what models cost.
type Prices struct {
	// File goes before the prices of the program; "" is none.
	File string `yaml:"file"`
}

// USD is the code of the currency that costs are counted in.
const USD = "USD"

// Currency is what costs are shown in besides dollars. Costs are counted in
// dollars whatever it is.
type Currency struct {
	// Code is an ISO 4217 code, such as BRL.
	Code string `yaml:"code"`
	// USDRate is how many units a dollar buys. It is never fetched.
	USDRate float64 `yaml:"usd_rate"`
}

func (v *checker) money(c *Config) {
	t, rate := c.Retrieval.Threshold, c.Currency.USDRate
	v.no(!(t > 0 && t <= 1), "retrieval.threshold", "must be above 0 and at most 1")
	code := c.Currency.Code
	v.no(len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "", "currency.code", "is no currency code: want three capital letters, such as BRL")
	v.no(!(rate > 0) || math.IsInf(rate, 0), "currency.usd_rate", "must be above 0: how many units a dollar buys")
	v.no(code == USD && rate != 1, "currency.usd_rate", "must be 1 for USD: set currency.code too")
	v.no(code != USD && rate == 1, "currency.usd_rate", "is missing: how many "+code+" a dollar buys")
}
