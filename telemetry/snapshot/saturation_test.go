package snapshot_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// TestTotalsStopAtTheLargestNumber: what callers tell, call by call within its bounds,
// adds up to more than a number holds, over series and over restarts; no document and no
// exposition turns negative.
func TestTotalsStopAtTheLargestNumber(t *testing.T) {
	l := begin(t, snapshot.Options{})
	const most = 1 << 53
	for i := range 3000 {
		model := []string{"a", "b"}[i%2]
		l.LLMCall(&telemetry.LLMCall{ModelCall: telemetry.ModelCall{
			Origin: telemetry.Origin{Service: "app"}, Duration: time.Second, RequestModel: model, HasUsage: true,
			Tokens:      telemetry.Tokens{Input: most, CacheRead: most, CacheWrite: most, Output: most, Reasoning: most, Unsplit: most},
			CostNanoUSD: math.MaxInt64 / 1000, CostSource: telemetry.BookCost, UnpricedTokens: most,
		}})
		l.Embedding(&telemetry.Embedding{ModelCall: telemetry.ModelCall{RequestModel: model, HasUsage: true, Tokens: telemetry.Tokens{Input: most}}})
		l.Chat(&telemetry.Chat{Duration: time.Second, LLMCalls: 1, Tokens: most, CostNanoUSD: math.MaxInt64 / 1000})
		if i == 1400 {
			l = l.reincarnate(t)
		}
	}
	l = l.reincarnate(t)
	l.Chat(&telemetry.Chat{Duration: time.Second, LLMCalls: 1, Tokens: most, CostNanoUSD: 1})
	l.reader.Invalidate()
	s := mustSnapshot(t, l.reader)
	tally := s.Tally("")
	if tally.ChatTokens != math.MaxInt64 || tally.LLMTokens != math.MaxInt64 {
		t.Errorf("%d tokens of chats, %d of models", tally.ChatTokens, tally.LLMTokens)
	}
	d := s.Models(snapshot.ModelsQuery{Currency: "USD", UnitsPerUSD: 1}, guideTime)
	if d.Total.Tokens != math.MaxInt64 || d.Total.CostUSD != math.MaxInt64 || d.Total.UnpricedTokens != math.MaxInt64 {
		t.Errorf("models: %+v", d.Total)
	}
	if text := indented(t, d); strings.Contains(text, ": -") {
		t.Errorf("negative: %s", text)
	}
	for line := range strings.Lines(get(expose(t, l.reader), "").Body.String()) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, "} -") {
			t.Error("negative: ", line)
		}
	}
}
