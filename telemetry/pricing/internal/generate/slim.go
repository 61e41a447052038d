package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// The parts of genai-prices' schema that matter here.
type slimProvider struct {
	ID            string      `json:"id"`
	ModelMatch    *clause     `json:"model_match"`
	ProviderMatch *clause     `json:"provider_match"`
	Fallback      []string    `json:"fallback_model_providers"`
	Models        []slimModel `json:"models"`
}

type slimModel struct {
	ID     string     `json:"id"`
	Match  clause     `json:"match"`
	Prices slimPrices `json:"prices"`
}

// clause is the same in the source and in the book.
type clause struct {
	Equals     string   `json:"equals,omitempty"`
	StartsWith string   `json:"starts_with,omitempty"`
	EndsWith   string   `json:"ends_with,omitempty"`
	Contains   string   `json:"contains,omitempty"`
	Regex      string   `json:"regex,omitempty"`
	Or         []clause `json:"or,omitempty"`
	And        []clause `json:"and,omitempty"`
}

type slimConditional struct {
	Constraint struct {
		StartDate string `json:"start_date"`
		StartTime string `json:"start_time"`
		EndTime   string `json:"end_time"`
	} `json:"constraint"`
	Prices map[string]slimPrice `json:"prices"`
}

// slimPrices is one set of prices, or a list of conditional ones.
type slimPrices []slimConditional

func (p *slimPrices) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]slimConditional)(p))
	}
	*p = make(slimPrices, 1)
	return json.Unmarshal(data, &(*p)[0].Prices)
}

// slimPrice is a price and those that replace it above a number of input tokens.
type slimPrice struct {
	Base  json.Number `json:"base"`
	Tiers []struct {
		Start int64       `json:"start"`
		Price json.Number `json:"price"`
	} `json:"tiers"`
}

func (p *slimPrice) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		type plain slimPrice
		return json.Unmarshal(data, (*plain)(p))
	}
	return json.Unmarshal(data, &p.Base)
}

// kinds relates the source's names of prices to the book's, with the factor
// that makes one of the other: the book's are all in dollars a million.
var kinds = []struct {
	from, to string
	factor   int64
}{
	{"input_mtok", "input", 1},
	{"cache_read_mtok", "cache_read", 1},
	{"cache_write_mtok", "cache_write", 1},
	{"output_mtok", "output", 1},
	{"output_reasoning_mtok", "reasoning", 1},
	{"requests_kcount", "request", 1000},
}

// decimal rounds a number to nine places: the source has prices such as
// 0.09999999999999999 that only binary fractions explain.
func decimal(n json.Number, factor int64) (json.Number, error) {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return "", fmt.Errorf("%q is no number", n)
	}
	text := r.Mul(r, big.NewRat(factor, 1)).FloatString(9)
	return json.Number(strings.TrimRight(strings.TrimRight(text, "0"), ".")), nil
}
