package understand

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/pricing"
	"treq/telemetry/semconv"
)

// bill writes down what calls and chats cost.
type bill struct {
	transcript

	lines []string
}

func (b *bill) addf(format string, args ...any) {
	b.lines = append(b.lines, fmt.Sprintf(format, args...))
}

func (b *bill) call(kind string, c *telemetry.ModelCall) {
	b.addf("%s %s %d %s unpriced=%d", kind, c.Model(), c.CostNanoUSD, c.CostSource, c.UnpricedTokens)
}

func (b *bill) Chat(c *telemetry.Chat)                 { b.addf("chat %d", c.CostNanoUSD) }
func (b *bill) ChatAddition(c *telemetry.ChatAddition) { b.addf("addition %d", c.CostNanoUSD) }
func (b *bill) LLMCall(c *telemetry.LLMCall)           { b.call("llm", &c.ModelCall) }
func (b *bill) Embedding(c *telemetry.Embedding)       { b.call("embedding", &c.ModelCall) }
func (b *bill) Rerank(c *telemetry.Rerank) {
	b.call("rerank", &c.ModelCall)
	if c.Ordered {
		b.addf("displacement %.3g", c.Displacement)
	}
}

func TestCosts(t *testing.T) {
	const groq = " gen_ai.provider.name=groq gen_ai.operation.name=chat gen_ai.request.model=llama-3.1-8b-instant gen_ai.usage.input_tokens=100 gen_ai.usage.output_tokens=10"
	for _, c := range []struct{ what, script, want string }{
		{"the book, by kind of call", `
server chat 0-1000
  embedding embed 10-20 embedding.model_name=text-embedding-3-small llm.provider=openai llm.token_count.prompt=50
  client call 30-900` + groq, `
chat 6800
embedding text-embedding-3-small 1000 price_book unpriced=0
llm llama-3.1-8b-instant 5800 price_book unpriced=0`},
		{"a span's own cost wins", `
client call 0-9` + groq + ` gen_ai.usage.cost=0.25`, `
chat 250000000
llm llama-3.1-8b-instant 250000000 reported unpriced=0`},
		{"OpenInference's", `
llm call 0-9 llm.model_name=x-9 llm.token_count.prompt=5 llm.cost.total='0.000001'`, `
chat 1000
llm x-9 1000 reported unpriced=0`},
		{"LangSmith's usage", `
llm call 0-9 langsmith.usage_metadata='{"input_tokens":5,"output_tokens":1,"total_tokens":6,"input_cost":0.5,"output_cost":0.25}' llm.model_name=x-9`, `
chat 750000000
llm x-9 750000000 reported unpriced=0`},
		{"LiteLLM's", `
client call 0-9` + groq + ` gen_ai.cost.total_cost=0.25`, `
chat 250000000
llm llama-3.1-8b-instant 250000000 reported unpriced=0`},
		{"Langfuse's", `
client call 0-9` + groq + ` langfuse.observation.cost_details='{"input":0.2,"total":0.25}'`, `
chat 250000000
llm llama-3.1-8b-instant 250000000 reported unpriced=0`},
		{"a cost of zero says nothing", `
client call 0-9` + groq + ` gen_ai.usage.cost=0`, `
chat 5800
llm llama-3.1-8b-instant 5800 price_book unpriced=0`},
		{"nor does one that is none", `
client call 0-9` + groq + ` gen_ai.usage.cost=-4`, `
chat 5800
llm llama-3.1-8b-instant 5800 price_book unpriced=0`},
		{"an unknown model is not free", `
llm call 0-9 llm.model_name=x-9 llm.token_count.prompt=5 llm.token_count.completion=2`, `
chat 0
llm x-9 0 none unpriced=7`},
		{"a tier of service", `
client call 0-9 gen_ai.provider.name=openai gen_ai.operation.name=chat gen_ai.request.model=o3-mini gen_ai.usage.input_tokens=100 gen_ai.usage.output_tokens=0 openai.response.service_tier=flex`, `
chat 55000
llm o3-mini 55000 price_book unpriced=0`},
		{"a wrapper costs nothing more", `
llm wrapper 0-1000` + groq + `
  client call 10-990` + groq, `
chat 5800
llm llama-3.1-8b-instant 5800 price_book unpriced=0`},
		{"late calls add their cost", `
server chat 0-1000 #1
  client call 30-900` + groq + `
at 60s
client late 910-990 ^1` + groq, `
chat 5800
llm llama-3.1-8b-instant 5800 price_book unpriced=0
addition 5800
llm llama-3.1-8b-instant 5800 price_book unpriced=0`},
		{"a reranker by the search, and what it moved", `
reranker rerank 0-10 reranker.model_name=rerank-v3.5 llm.provider=cohere reranker.input_documents.0.document.id=a reranker.input_documents.1.document.id=b reranker.input_documents.2.document.id=c reranker.output_documents.0.document.id=c reranker.output_documents.1.document.id=a`, `
rerank rerank-v3.5 2000000 price_book unpriced=0
displacement 1`},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := parseScript(t, c.script)
			s.config.Pricer = pricing.NewFinder(pricing.Embedded())
			b := &bill{}
			e, err := New(s.config, b)
			if err != nil {
				t.Fatal(err)
			}
			play(t, e, s.steps)
			e.Flush()
			if diff := cmp.Diff(strings.TrimSpace(c.want), strings.Join(b.lines, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPricesAreAPartOfTheRules(t *testing.T) {
	c := DefaultConfig()
	c.Pricer = pricing.NewFinder(pricing.Embedded())
	one := fmt.Sprintf("%+v", c)
	c.Pricer = pricing.NewFinder(pricing.Embedded())
	if again := fmt.Sprintf("%+v", c); again != one || !strings.Contains(one, pricing.Embedded().Version()) {
		t.Errorf("%s and %s", one, again)
	}
}

func TestHostileCosts(t *testing.T) {
	for _, dollars := range []float64{math.NaN(), math.Inf(1), -1e-9, 1e6 + 1, math.MaxFloat64} {
		r, err := NewReader(Config{})
		if err != nil {
			t.Fatal(err)
		}
		r.rank[fCost], r.value[fCost] = 1, otlp.Value{Type: otlp.Double, Num: math.Float64bits(dollars)}
		u := newUsage()
		if nano, told := r.cost(&u); told || nano != 0 || r.rejected.n[badCost] != 1 {
			t.Errorf("%v dollars: %d, %v, %d refused", dollars, nano, told, r.rejected.n[badCost])
		}
	}
	if got := telemetry.Plus(math.MaxInt64-1, 5); got != math.MaxInt64 {
		t.Errorf("costs add up to %d", got)
	}
}

func TestDisplacement(t *testing.T) {
	for _, c := range []struct {
		in, out string
		want    float64
		told    bool
	}{
		{"abc", "abc", 0, true},
		{"abcd", "dcba", (3. + 1 + 1 + 3) / (3 + 2 + 2 + 3), true},
		{"abcd", "d", 1, true},
		{"abcd", "b", 1. / 3, true},
		{"a", "a", 0, false},
		{"abc", "x", 0, false},
		{"abc", "aa", 0, false},
		{"aab", "a", 0, false},
		{"abc", "", 0, false},
		{"", "abc", 0, false},
	} {
		var o reordering
		tell := func(key semconv.Key, name, documents string) {
			for i, d := range documents {
				for _, of := range []string{"content", "id", "content"} {
					value := []byte(string(d))
					if of == "content" {
						value = []byte("some text")
					}
					o.note(key, &otlp.Attribute{
						Key:   fmt.Appendf(nil, "reranker.%s_documents.%d.document.%s", name, i, of),
						Value: otlp.Value{Type: otlp.String, Bytes: value},
					})
				}
			}
		}
		tell(semconv.KeyOIRerankInput, "input", c.in)
		tell(semconv.KeyOIRerankedDocument, "output", c.out)
		if got, told := o.displacement(); math.Abs(got-c.want) > 1e-12 || told != c.told {
			t.Errorf("%s to %s: %v, %v; want %v, %v", c.in, c.out, got, told, c.want, c.told)
		}
	}
	var o reordering
	o.note(semconv.KeyOIRerankInput, &otlp.Attribute{Key: []byte("reranker.input_documents.500.document.id"), Value: otlp.Value{Bytes: []byte("a")}})
	if _, told := o.displacement(); told {
		t.Error("documents beyond the bound are compared")
	}
}

// TestTokensAboveTheBoundAreRefused: 2^53 + 1 is 2^53 as a floating-point number.
func TestTokensAboveTheBoundAreRefused(t *testing.T) {
	for told, want := range map[string]string{
		"9007199254740992": "in=9007199254740992", "9007199254740993": "no usage", "9223372036854775807": "no usage",
	} {
		s := parseScript(t, "llm ask 0-1000 gen_ai.request.model=m gen_ai.usage.input_tokens="+told)
		e, rec := newEngine(t, s.config)
		play(t, e, s.steps)
		e.Flush()
		if !strings.Contains(rec.String(), `response="" `+want) {
			t.Errorf("%s tokens: %s", told, rec)
		}
	}
}
