package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// A tenth of a dollar added ten thousand times is a thousand dollars, whatever
// binary fractions make of it, over a restart too.
func TestMoneyDoesNotDrift(t *testing.T) {
	l := begin(t, snapshot.Options{})
	call := telemetry.ModelCall{Provider: "groq", RequestModel: "m", CostNanoUSD: 100_000_000, CostSource: telemetry.BookCost}
	for i := range 10_000 {
		if i == 5000 {
			l = l.reincarnate(t)
		}
		l.LLMCall(&telemetry.LLMCall{ModelCall: call})
	}
	body := get(expose(t, l.reader), acceptText).Body.String()
	if !strings.Contains(body, `treq_cost_source="price_book",treq_model_family="other"} 1000`+"\n") {
		t.Errorf("the cost is not 1000:\n%s", lines(body, "treq_llm_cost"))
	}
}

func lines(text, with string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, with) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

func TestCoverage(t *testing.T) {
	l := begin(t, snapshot.Options{})
	origin := telemetry.Origin{Service: "app"}
	tokens := func(n, unpriced int64, s telemetry.StreamOutcome, first int64) {
		l.LLMCall(&telemetry.LLMCall{ModelCall: telemetry.ModelCall{
			Origin: origin, RequestModel: "m", HasUsage: true, Tokens: telemetry.Tokens{Input: n}, UnpricedTokens: unpriced,
		}, Stream: s, TimeToFirstToken: time.Duration(first) * time.Millisecond})
	}
	tokens(60, 0, telemetry.StreamCompleted, 80)
	tokens(20, 20, telemetry.StreamUsageMissing, 0)
	tokens(20, 0, telemetry.StreamAborted, 0)
	tokens(0, 0, telemetry.StreamCompleted, 0)
	l.Embedding(&telemetry.Embedding{ModelCall: telemetry.ModelCall{Origin: origin, HasUsage: true, Tokens: telemetry.Tokens{Input: 100}}})
	l.Retrieval(&telemetry.Retrieval{Origin: origin, Documents: 1, Result: telemetry.Found, Scored: true, TopSimilarity: 0.4, MeanSimilarity: 0.4})
	l.Retrieval(&telemetry.Retrieval{Origin: origin, Documents: 1, Result: telemetry.Found})
	l.Retrieval(&telemetry.Retrieval{Origin: origin, Documents: 0, Result: telemetry.Empty})
	l.ToolCall(&telemetry.ToolCall{Origin: telemetry.Origin{Service: "idle"}})
	body := get(expose(t, l.reader), acceptText).Body.String()
	for _, want := range []string{
		`treq_llm_price_coverage_ratio{service_name="app"} 0.9`,
		`treq_llm_first_token_coverage_ratio{service_name="app"} 0.25`,
		`treq_llm_stream_usage_coverage_ratio{service_name="app"} 0.6666666666666666`,
		`treq_retrieval_score_coverage_ratio{service_name="app"} 0.5`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("%s is missing:\n%s", want, lines(body, "coverage"))
		}
	}
	if strings.Contains(body, `coverage_ratio{service_name="idle"}`) {
		t.Errorf("nothing over nothing is shown:\n%s", lines(body, "coverage"))
	}
}
