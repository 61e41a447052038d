package pricing_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/pricing"
)

func at(t *testing.T, text string) int64 {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when.UnixNano()
}

// The figures are computed by hand from the services' price lists.
func TestCostsByHand(t *testing.T) {
	million := telemetry.Tokens{Input: 1_000_000, Output: 1_000_000}
	for _, c := range []struct {
		what, provider, model string
		usage                 pricing.Usage
		nano                  int64
		unpriced              telemetry.Tokens
	}{
		{what: "one token costs fifty nano-dollars", provider: "groq", model: "llama-3.1-8b-instant", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 1}}, nano: 50},
		{what: "0.05 and 0.08", provider: "groq", model: "llama-3.1-8b-instant", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 1000, Output: 500}}, nano: 90_000},
		{what: "0.59 and 0.79", provider: "groq", model: "llama-3.3-70b-versatile", usage: pricing.Usage{Tokens: million}, nano: 1_380_000_000},
		{what: "half a nano-dollar rounds up", provider: "cohere", model: "command-r7b", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 1}}, nano: 38},
		{what: "37.5 twice is whole", provider: "cohere", model: "command-r7b", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 2}}, nano: 75},
		{what: "rounded once a call, not once a kind", provider: "cohere", model: "command-r7b", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 1, CacheRead: 1}}, nano: 75},
		{what: "glm-4.7 by its maker", provider: "zhipuai", model: "glm-4.7", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 900, CacheRead: 100, Output: 1000}}, nano: 248_400 + 5_500 + 1_103_000},
		{what: "a free model is priced", provider: "zhipuai", model: "glm-4-flash", usage: pricing.Usage{Tokens: million}},
		{what: "cache kinds apart", provider: "anthropic", model: "claude-3-5-sonnet-20241022", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 10, CacheRead: 1000, CacheWrite: 100, Output: 20}}, nano: 30_000 + 300_000 + 375_000 + 300_000},
		{what: "reasoning is billed as output", provider: "openai", model: "o3-mini", usage: pricing.Usage{Tokens: telemetry.Tokens{Output: 10, Reasoning: 90}}, nano: 440_000},
		{what: "reasoning with a price of its own", provider: "perplexity", model: "sonar-deep-research", usage: pricing.Usage{Tokens: telemetry.Tokens{Output: 10, Reasoning: 100}}, nano: 80_000 + 300_000},
		{what: "at the threshold the base holds", provider: "gcp.gemini", model: "gemini-1.5-flash", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 128_000, Output: 100}}, nano: 9_600_000 + 30_000},
		{what: "above it the step holds for all", provider: "gcp.gemini", model: "gemini-1.5-flash", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 128_001, Output: 100}}, nano: 19_200_150 + 60_000},
		{what: "cached input counts for the threshold", provider: "gcp.gemini", model: "gemini-1.5-flash", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 1, CacheRead: 128_000}}, nano: 150 + 4_800_000},
		{what: "by day", provider: "deepseek", model: "deepseek-chat", usage: pricing.Usage{Tokens: million, At: at(t, "2026-05-01T12:00:00Z")}, nano: 1_370_000_000},
		{what: "by night", provider: "deepseek", model: "deepseek-chat", usage: pricing.Usage{Tokens: million, At: at(t, "2026-05-01T16:30:00Z")}, nano: 685_000_000},
		{what: "before a price changed", provider: "anthropic", model: "claude-sonnet-5", usage: pricing.Usage{Tokens: million, At: at(t, "2026-08-31T23:59:59Z")}, nano: 12_000_000_000},
		{what: "after a price changed", provider: "anthropic", model: "claude-sonnet-5", usage: pricing.Usage{Tokens: million, At: at(t, "2026-09-01T00:00:00Z")}, nano: 18_000_000_000},
		{what: "without a time the newest holds", provider: "anthropic", model: "claude-sonnet-5", usage: pricing.Usage{Tokens: million}, nano: 18_000_000_000},
		{what: "half for flex", provider: "openai", model: "o3-mini", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 100}, Tier: "flex"}, nano: 55_000},
		{what: "a tier without a price", provider: "openai", model: "o3-mini", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 100}, Tier: "priority"}, unpriced: telemetry.Tokens{Input: 100}},
		{what: "the usual tier by name", provider: "groq", model: "llama-3.1-8b-instant", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 100}, Tier: "on_demand"}, nano: 5_000},
		{what: "a fee for each request", provider: "perplexity", model: "sonar", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 10}, Requests: 1}, nano: 10_000 + 12_000_000},
		{what: "a reranker by the search", provider: "cohere", model: "rerank-v3.5", usage: pricing.Usage{Requests: 1}, nano: 2_000_000},
		{what: "a total is priced where kinds cost the same", provider: "zhipuai", model: "glm-4-plus", usage: pricing.Usage{Tokens: telemetry.Tokens{Unsplit: 1000}}, nano: 690_000},
		{what: "a total is not priced where they differ", provider: "groq", model: "llama-3.1-8b-instant", usage: pricing.Usage{Tokens: telemetry.Tokens{Unsplit: 1000}}, unpriced: telemetry.Tokens{Unsplit: 1000}},
		{what: "embeddings have no output", provider: "openai", model: "text-embedding-3-small", usage: pricing.Usage{Tokens: telemetry.Tokens{Unsplit: 1000}}, nano: 20_000},
		{what: "output of an embedding model has no price", provider: "openai", model: "text-embedding-3-small", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: 1, Output: 3}}, nano: 20, unpriced: telemetry.Tokens{Output: 3}},
		{what: "an unknown model", provider: "groq", model: "llama-9", usage: pricing.Usage{Tokens: million}, unpriced: million},
		{what: "one's own machine", provider: "ollama", model: "llama-3.1-8b-instant", usage: pricing.Usage{Tokens: million}, unpriced: million},
		{what: "hostile counts", provider: "openai", model: "o1", usage: pricing.Usage{Tokens: telemetry.Tokens{Input: math.MaxInt64, Output: math.MaxInt64, Reasoning: -5}}, nano: math.MaxInt64},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := pricing.Embedded().Find(c.provider, c.model).Cost(c.usage)
			if got.NanoUSD != c.nano || got.Unpriced != c.unpriced {
				t.Errorf("%d nano-dollars, unpriced %+v; want %d, %+v", got.NanoUSD, got.Unpriced, c.nano, c.unpriced)
			}
			if priced := c.unpriced == (telemetry.Tokens{}) || got.NanoUSD > 0; got.Priced != priced {
				t.Errorf("priced %v, want %v", got.Priced, priced)
			}
		})
	}
}

func drawTokens(t *rapid.T, label string) telemetry.Tokens {
	n := func(kind string) int64 { return rapid.Int64Range(0, 50_000).Draw(t, label+kind) }
	return telemetry.Tokens{
		Input: n("input"), CacheRead: n("read"), CacheWrite: n("write"),
		Output: n("output"), Reasoning: n("reasoning"), Unsplit: n("unsplit"),
	}
}

func TestCostIsAdditiveAndMonotone(t *testing.T) {
	listings := pricing.Embedded().List("")
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(listings).Draw(t, "model")
		m := pricing.Embedded().Find(l.Provider, l.Model)
		time := rapid.Int64Range(0, 2e18).Draw(t, "at")
		one, two := drawTokens(t, "one"), drawTokens(t, "two")
		// 50,000 of each input kind twice stay below the lowest step but for
		// 128,000: keep to two thirds of it.
		one.CacheWrite, two.CacheWrite = 0, 0
		one.Input, two.Input = one.Input/2, two.Input/2
		cost := func(u telemetry.Tokens) pricing.Cost { return m.Cost(pricing.Usage{Tokens: u, At: time}) }
		a, b, both := cost(one), cost(two), cost(one.Add(two))
		if a.NanoUSD < 0 || both.NanoUSD < max(a.NanoUSD, b.NanoUSD) {
			t.Fatalf("%d and %d make %d", a.NanoUSD, b.NanoUSD, both.NanoUSD)
		}
		// Each of the three is rounded by half a nano-dollar at most.
		if d := both.NanoUSD - a.NanoUSD - b.NanoUSD; d < -1 || d > 1 {
			t.Fatalf("%d and %d make %d", a.NanoUSD, b.NanoUSD, both.NanoUSD)
		}
		if both.PricedTokens+both.Unpriced.Total() != one.Add(two).Total() {
			t.Fatalf("%d priced and %d unpriced of %d", both.PricedTokens, both.Unpriced.Total(), one.Add(two).Total())
		}
	})
}

func TestRates(t *testing.T) {
	for text, want := range map[string]pricing.Rate{
		"0": 0, "0.05": 50_000_000, "1": 1e9, "0.0375": 37_500_000, "0.000000001": 1, "1000000": 1e15, "2.50": 2_500_000_000,
	} {
		got, err := pricing.ParseRate(text)
		if err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want)
		}
		again, err := pricing.ParseRate(got.String())
		if err != nil || again != got {
			t.Errorf("%s is written %s", text, got)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "1e3", "0.0000000001", "1000001", "NaN", "0x1", "1_000", "99999999999999999999"} {
		if got, err := pricing.ParseRate(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
