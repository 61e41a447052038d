package pricing_test

import (
	"strings"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/pricing"
)

const contract = `
date: 2026-11-01
source: our contract
providers:
  - {id: inhouse, aliases: [in-house], match: [{and: [{starts_with: in}, {ends_with: house}]}], tiers: {night: 50}}
models:
  - provider: groq
    id: LLAMA-3.1-8B-INSTANT
    aliases: [small]
    prices: {input: 0.04, output: 0.06}
  - provider: inhouse
    id: treq-1
    match: [{regex: "^treq-1-\\d+$"}]
    tiers: {day: 200}
    prices:
      - {input: 1, output: 2}
      - {from: 2026-06-01, input: 3, output: 4, above: [{tokens: 1000, input: 5}]}
`

func TestOverride(t *testing.T) {
	base := pricing.Embedded()
	b, err := base.With("contract.yaml", []byte(contract))
	if err != nil {
		t.Fatal(err)
	}
	tokens := telemetry.Tokens{Input: 1000, Output: 1000}
	late := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	for _, c := range []struct {
		provider, model, tier string
		tokens                telemetry.Tokens
		nano                  int64
	}{
		{"groq", "llama-3.1-8b-instant", "", tokens, 100_000},
		{"groq", "small", "", tokens, 100_000},
		{"groq", "llama-3.3-70b-versatile", "", tokens, 1_380_000},
		{"in-house", "treq-1", "", tokens, 7_000_000},
		{"in-the-house", "treq-1-25", "", tokens, 7_000_000},
		{"inhouse", "treq-1", "night", tokens, 3_500_000},
		{"inhouse", "treq-1", "day", tokens, 14_000_000},
		{"inhouse", "treq-1", "", telemetry.Tokens{Input: 1001, Output: 1000}, 5_005_000 + 4_000_000},
	} {
		got := b.Find(c.provider, c.model).Cost(pricing.Usage{Tokens: c.tokens, Tier: c.tier, At: late})
		if got.NanoUSD != c.nano || !got.Priced {
			t.Errorf("%s %s %s: %+v, want %d", c.provider, c.model, c.tier, got, c.nano)
		}
	}
	if got := base.Find("groq", "llama-3.1-8b-instant").Cost(pricing.Usage{Tokens: tokens}).NanoUSD; got != 130_000 {
		t.Errorf("the book below the override says %d", got)
	}
	if b.Version() == base.Version() || !strings.HasPrefix(b.Version(), "2026-08-21.") {
		t.Errorf("version %s over %s", b.Version(), base.Version())
	}
	sources := b.Sources()
	if last := sources[len(sources)-1]; last.Name != "our contract" || last.Models != 2 || last.Date.Day() != 1 {
		t.Errorf("%+v", last)
	}
	if age := b.Age(time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)); age != 240*time.Hour {
		t.Errorf("age %s", age)
	}
}

// A file says models and providers in any order.
func TestOverrideNamesModelsBeforeTheirProvider(t *testing.T) {
	b, err := pricing.Embedded().With("p.yaml", []byte("models: [{provider: groq, id: m, prices: {input: 1}}]\nproviders: [{id: groq, aliases: [our-gateway]}]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"m", "llama-3.3-70b-versatile"} {
		if !b.Find("our-gateway", model).Found() {
			t.Errorf("the provider's other name does not find %s", model)
		}
	}
}

func TestOverrideFaults(t *testing.T) {
	for text, want := range map[string]string{
		"models: 3":  "p.yaml:1: models: want a list",
		"modles: []": "p.yaml:1: modles: not known here",
		"models:\n- {provider: a, id: b, prices: {input: x}}":  `p.yaml:2: models[0].prices.input: "x": want a price`,
		"models:\n- {provider: a, id: b, prices: {input: -1}}": `p.yaml:2: models[0].prices.input: "-1": want a price`,
		"models:\n- {provider: a, id: b, prices: {}}":          "p.yaml:2: models[0].prices: names no price",
		"models:\n- {provider: a, prices: {input: 1}}":         "p.yaml:2: models[0].id: missing",
		"models:\n- {id: a, prices: {input: 1}}":               "p.yaml:2: models[0].provider: missing",
		"models:\n- {provider: a, id: b}":                      "p.yaml:2: models[0].prices: missing",
		"models:\n- {provider: a, id: b, id: c}":               "given twice",
		"date: yesterday":                                      `p.yaml:1: date: "yesterday" is no day`,
		"hosts: [nobody]":                                      "hosts: no provider is called nobody",
		"providers: [{id: a, aliases: [groq]}]":                "alias",
		"providers: [{id: a, fallback: [nobody]}]":             "no provider is called nobody",
		"providers: [{id: a, tiers: {x: cheap}}]":              "p.yaml:1: providers[0].tiers.x: want percent",
		"providers: [{id: a, match: [{regex: '('}]}]":          "p.yaml:1: providers[0].match[0]",
		"providers: [{id: a, match: [{}]}]":                    "want one of equals",
		"providers: [{id: a, match: [{equals: a, regex: b}]}]": "want one of equals",
		"models: [": "not YAML",
		"models: [{provider: a, id: b, prices: {input: 1}}]\nproviders: [{id: a}, {id: a}]":                     "p.yaml:2: providers[1].id: a is listed twice",
		"models: [{provider: a, id: b, prices: {input: 1, daily: noon}}]":                                       `daily: "noon"`,
		"models: [{provider: a, id: b, prices: {input: 1, above: [{tokens: 5}, {tokens: 5}]}}]":                 "must grow",
		"models: [{provider: a, id: b, prices: {input: 1}}, {provider: a, id: B, prices: {input: 2}}]":          "listed twice",
		"models: [{provider: a, id: b, match: [{starts_with: x, }], prices: {input: 1, above: [{tokens: 0}]}}]": "is no number of tokens",
	} {
		_, err := pricing.Embedded().With("p.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || telemetry.KindOf(err) != telemetry.Unprocessable {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
	b, err := pricing.Embedded().With("empty.yaml", nil)
	if err != nil || !b.Find("groq", "llama-3.1-8b-instant").Found() {
		t.Errorf("an empty file: %v", err)
	}
}

// Whatever a file says, it is refused with a place or every model that it lists
// is found by its own name, and nothing costs less than nothing.
func FuzzOverride(f *testing.F) {
	f.Add(contract)
	f.Add(`{"models":[{"provider":"x","id":"y","prices":[{"input":0.1,"daily":"22:00-06:00"}]}]}`)
	f.Add("models: [{provider: a, id: b, match: [{or: [{and: [{equals: b}]}]}], prices: {request: 3}}]")
	base := pricing.Embedded()
	f.Fuzz(func(t *testing.T, text string) {
		b, err := base.With("fuzz", []byte(text))
		if err != nil {
			if telemetry.KindOf(err) != telemetry.Unprocessable || !strings.HasPrefix(err.Error(), "fuzz") {
				t.Fatalf("a fault without a place: %v", err)
			}
			return
		}
		for _, l := range b.List("") {
			m := b.Find(l.Provider, l.Model)
			if c := m.Cost(pricing.Usage{Tokens: telemetry.Tokens{Input: 3, Output: 5}, Requests: 1, At: 1e18}); c.NanoUSD < 0 {
				t.Fatalf("%s/%s costs %d", l.Provider, l.Model, c.NanoUSD)
			}
		}
	})
}
