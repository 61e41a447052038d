package snapshot_test

import (
	"encoding/json"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

func TestModels(t *testing.T) {
	l := begin(t, snapshot.Options{})
	origin := telemetry.Origin{Service: "app"}
	for i := range 100 {
		call := telemetry.LLMCall{ModelCall: telemetry.ModelCall{
			Origin: origin, Duration: time.Duration(i+1) * 10 * time.Millisecond, Provider: "groq", RequestModel: "llama-3.1-8b-instant",
			HasUsage: true, Tokens: telemetry.Tokens{Input: 90, CacheRead: 10, Output: 20}, CostNanoUSD: 1, CostSource: telemetry.BookCost,
		}, Stream: telemetry.StreamCompleted}
		switch {
		case i%10 == 0:
			call.Outcome, call.ErrorType, call.Stream = telemetry.Failed, "Timeout", telemetry.StreamAborted
		case i%2 == 0:
			call.TimeToFirstToken = 100 * time.Millisecond
		}
		l.LLMCall(&call)
		if i == 50 {
			l = l.reincarnate(t)
		}
	}
	l.LLMCall(&telemetry.LLMCall{ModelCall: telemetry.ModelCall{
		Origin: telemetry.Origin{Service: "other"}, Duration: telemetry.UnknownDuration, Provider: "zhipuai", RequestModel: "glm-x",
		HasUsage: true, Tokens: telemetry.Tokens{Unsplit: 40}, UnpricedTokens: 40, Operation: "text_completion",
	}})
	l.Embedding(&telemetry.Embedding{ModelCall: telemetry.ModelCall{
		Origin: origin, Duration: time.Second, Provider: "openai", RequestModel: "e3", HasUsage: true, Tokens: telemetry.Tokens{Input: 5},
		CostNanoUSD: 1_500_000_000, CostSource: telemetry.ReportedCost,
	}})
	l.Rerank(&telemetry.Rerank{ModelCall: telemetry.ModelCall{Origin: origin, Duration: time.Second, RequestModel: "rr"}})
	l.reader.Invalidate()
	s := mustSnapshot(t, l.reader)
	q := snapshot.ModelsQuery{PricesVersion: "2026-08-21.x", PricesDate: time.Date(2026, 8, 21, 0, 0, 0, 0, time.UTC), Currency: "BRL", UnitsPerUSD: 5.4}
	golden(t, "models.json", indented(t, s.Models(q, guideTime)))

	q.Service = "other"
	if d := s.Models(q, guideTime); len(d.Models) != 1 || d.Total.LLMCalls != 1 || d.Total.UnpricedTokens != 40 || *d.Total.PriceCoverage != 0 {
		t.Errorf("one service: %+v", d)
	}
	q.Service = "nobody"
	if text := indented(t, s.Models(q, guideTime)); !json.Valid([]byte(text)) || len(s.Models(q, guideTime).Models) != 0 {
		t.Errorf("nobody: %s", text)
	}
}

func TestMoneyAsJSON(t *testing.T) {
	for u, want := range map[snapshot.USD]string{
		0: "0.0", 1: "0.000000001", 90_000: "0.00009", 1_500_000_000: "1.5", -2_000_000_001: "-2.000000001",
		1<<63 - 1: "9223372036.854775807", -1 << 63: "-9223372036.854775808",
	} {
		if got, err := json.Marshal(u); err != nil || string(got) != want {
			t.Errorf("%d is %s, %v; want %s", int64(u), got, err, want)
		}
	}
	for a, want := range map[snapshot.Amount]string{0: "0.0", 0.00045: "0.00045", 1e12: "1000000000000.0", 1e-9: "0.0", 2.5: "2.5"} {
		if got, err := json.Marshal(a); err != nil || string(got) != want {
			t.Errorf("%v is %s, %v; want %s", float64(a), got, err, want)
		}
	}
}
