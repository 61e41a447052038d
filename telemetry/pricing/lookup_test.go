package pricing_test

import (
	"slices"
	"testing"
	"time"

	"treq/telemetry/pricing"
)

func TestEveryModelIsFoundByItsOwnName(t *testing.T) {
	b := pricing.Embedded()
	listings := b.List("")
	if len(listings) < 1300 {
		t.Fatalf("%d models", len(listings))
	}
	for _, l := range listings {
		if m := b.Find(l.Provider, l.Model); m.Provider != l.Provider || m.Model != l.Model || m.Basis != pricing.Listed {
			t.Errorf("%s/%s is found as %s/%s by %s", l.Provider, l.Model, m.Provider, m.Model, m.Rule)
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		provider, model string
		want            string // provider/model of the book
		basis           pricing.Basis
	}{
		{"groq", "llama-3.1-8b-instant", "groq/llama-3.1-8b-instant", pricing.Listed},
		{"groq", "Llama-3.3-70B-Versatile", "groq/llama-3.3-70b-versatile", pricing.Listed},
		{"groq", "gpt-oss-120b", "groq/openai/gpt-oss-120b", pricing.Listed},
		{"groq", "llama-9-instant", "", pricing.NotFound},
		{"", "groq/llama-3.1-8b-instant", "groq/llama-3.1-8b-instant", pricing.Listed},
		{"", "llama-3.1-8b-instant", "groq/llama-3.1-8b-instant", pricing.Host},
		{"openai", "llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile", pricing.Host},
		{"openai", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini", pricing.Listed},
		{"openai", "openai/gpt-4o", "openai/gpt-4o", pricing.Listed},
		{"azure.ai.openai", "gpt-4o-2024-08-06", "openai/gpt-4o", pricing.Borrowed},
		{"azure.ai.openai", "o1", "azure/o1", pricing.Listed},
		{"zhipuai", "glm-4.7", "zhipuai/GLM-4.7", pricing.Listed},
		{"zhipuai", "glm-4.6", "openrouter/z-ai/glm-4.6", pricing.Borrowed},
		{"zai", "glm-5.2", "zai/GLM-5.2", pricing.Listed},
		{"z.ai", "glm-4.7", "openrouter/z-ai/glm-4.7", pricing.Borrowed},
		{"zhipu", "glm-4-flash", "zhipuai/glm-4-flash", pricing.Listed},
		{"", "glm-4.7", "zhipuai/GLM-4.7", pricing.Maker},
		{"gcp.vertex_ai", "publishers/anthropic/models/claude-3-5-sonnet@20240620", "google/claude-3-5-sonnet", pricing.Listed},
		{"gcp.gemini", "models/gemini-2.0-flash", "google/gemini-2.0-flash", pricing.Listed},
		{"aws.bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0", pricing.Listed},
		{"aws.bedrock", "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0", pricing.Listed},
		{"mistral_ai", "mistral-large-latest", "mistral/mistral-large", pricing.Listed},
		{"deepseek", "deepseek-reasoner", "deepseek/deepseek-reasoner", pricing.Listed},
		{"cohere", "command-r-plus-08-2024", "cohere/command-r-plus", pricing.Listed},
		{"x_ai", "grok-4", "x-ai/grok-4-0709", pricing.Listed},
		{"anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5", pricing.Listed},
		{"huggingface", "zai-org/GLM-4.6", "huggingface_novita/zai-org/GLM-4.6", pricing.Listed},
		{"my-gateway", "gpt-4o", "openai/gpt-4o", pricing.Maker},
		{"ollama", "llama-3.1-8b-instant", "", pricing.NotFound},
		{"", "", "", pricing.NotFound},
		{"", "no such model", "", pricing.NotFound},
	} {
		m := pricing.Embedded().Find(c.provider, c.model)
		got := ""
		if m.Found() {
			got = m.Provider + "/" + m.Model
		}
		if got != c.want || m.Basis != c.basis {
			t.Errorf("%q %q: %q, %s; want %q, %s", c.provider, c.model, got, m.Basis, c.want, c.basis)
		}
	}
}

func TestFinderIsTheBook(t *testing.T) {
	b := pricing.Embedded()
	f := pricing.NewFinder(b)
	for range 2 {
		for i, l := range b.List("") {
			if i%7 == 0 && f.Find(l.Provider, l.Model) != b.Find(l.Provider, l.Model) {
				t.Fatalf("%s/%s differs", l.Provider, l.Model)
			}
		}
	}
	cost, m := f.Cost("groq", "deployment-7", "llama-3.1-8b-instant", &pricing.Usage{Requests: 1})
	if m.Model != "llama-3.1-8b-instant" || cost.Priced {
		t.Errorf("%+v, %+v; want the model asked for, and nothing priced without usage", m, cost)
	}
	if allocs := testing.AllocsPerRun(100, func() { f.Find("groq", "llama-3.1-8b-instant") }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestExplain(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	e := pricing.Embedded().Explain("anthropic", "claude-sonnet-5-20260601", now)
	if e.Rule != "starts_with claude-sonnet-5" || e.Current.Input != 3e9 || len(e.Listing.Prices) != 2 {
		t.Errorf("%+v", e)
	}
	if e = pricing.Embedded().Explain("ollama", "x", now); !e.SelfHosted {
		t.Errorf("%+v", e)
	}
	e = pricing.Embedded().Explain("groq", "lama-3.1-8b-instan", now)
	if !slices.Contains(e.Suggestions, "groq/llama-3.1-8b-instant") || len(e.Suggestions) > 5 {
		t.Errorf("suggestions %q", e.Suggestions)
	}
	if got := pricing.Embedded().List("LLAMA-3.1-8B-INSTANT"); len(got) != 1 || got[0].Provider != "groq" {
		t.Errorf("%+v", got)
	}
}

func BenchmarkFinder(b *testing.B) {
	f := pricing.NewFinder(pricing.Embedded())
	b.ReportAllocs()
	for b.Loop() {
		f.Find("groq", "llama-3.1-8b-instant")
	}
}

func BenchmarkPrice(b *testing.B) {
	f := pricing.NewFinder(pricing.Embedded())
	u := pricing.Usage{Requests: 1, At: 1}
	u.Tokens.Input, u.Tokens.Output = 1200, 300
	b.ReportAllocs()
	for b.Loop() {
		f.Cost("groq", "llama-3.1-8b-instant", "llama-3.1-8b-instant", &u)
	}
}

func BenchmarkUnknownModel(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		pricing.Embedded().Find("", "no-such-model-2026")
	}
}
