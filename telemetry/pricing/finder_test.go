package pricing_test

import (
	"testing"

	"treq/telemetry"
	"treq/telemetry/pricing"
)

func TestPricesCalls(t *testing.T) {
	f := pricing.NewFinder(pricing.Embedded())
	for _, c := range []struct {
		what     string
		call     telemetry.ModelCall
		nano     int64
		source   telemetry.CostSource
		unpriced int64
	}{
		{"by what answered", telemetry.ModelCall{Provider: "groq", RequestModel: "auto", ResponseModel: "llama-3.1-8b-instant", Tokens: telemetry.Tokens{Input: 10}}, 500, telemetry.BookCost, 0},
		{"else by what was asked", telemetry.ModelCall{Provider: "groq", RequestModel: "llama-3.1-8b-instant", ResponseModel: "x-1", Tokens: telemetry.Tokens{Input: 10}}, 500, telemetry.BookCost, 0},
		{"unknown models cost nothing known", telemetry.ModelCall{RequestModel: "x-1", Tokens: telemetry.Tokens{Input: 10, Output: 2}}, 0, telemetry.NoCost, 12},
		{"without usage", telemetry.ModelCall{Provider: "groq", RequestModel: "llama-3.1-8b-instant"}, 0, telemetry.NoCost, 0},
		{"free is a price", telemetry.ModelCall{Provider: "zhipuai", RequestModel: "glm-4-flash", Tokens: telemetry.Tokens{Input: 10}}, 0, telemetry.BookCost, 0},
		{"a search", telemetry.ModelCall{Provider: "cohere", RequestModel: "rerank-v3.5"}, 2_000_000, telemetry.BookCost, 0},
		{"a search that failed", telemetry.ModelCall{Provider: "cohere", RequestModel: "rerank-v3.5", Outcome: telemetry.Failed}, 0, telemetry.NoCost, 0},
	} {
		f.Price(&c.call)
		if c.call.CostNanoUSD != c.nano || c.call.CostSource != c.source || c.call.UnpricedTokens != c.unpriced {
			t.Errorf("%s: %d from %s, %d unpriced; want %d from %s, %d", c.what,
				c.call.CostNanoUSD, c.call.CostSource, c.call.UnpricedTokens, c.nano, c.source, c.unpriced)
		}
	}
	if want := "prices " + pricing.Embedded().Version(); f.String() != want {
		t.Errorf("%s, want %s", f, want)
	}
}
