package instrument

import (
	"testing"
	"time"

	"treq/telemetry"
)

func TestCosts(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	call := func(nano int64, source telemetry.CostSource, unpriced int64) telemetry.ModelCall {
		return telemetry.ModelCall{
			Origin: telemetry.Origin{Service: "app"}, Provider: "groq", RequestModel: "m",
			CostNanoUSD: nano, CostSource: source, UnpricedTokens: unpriced,
		}
	}
	in.LLMCall(&telemetry.LLMCall{ModelCall: call(7, telemetry.BookCost, 0)})
	in.LLMCall(&telemetry.LLMCall{ModelCall: call(5, telemetry.ReportedCost, 0)})
	in.LLMCall(&telemetry.LLMCall{ModelCall: call(0, telemetry.NoCost, 30)})
	in.LLMCall(&telemetry.LLMCall{ModelCall: call(-1, telemetry.BookCost, -1)})
	in.Embedding(&telemetry.Embedding{ModelCall: call(0, telemetry.BookCost, 2)})
	in.Rerank(&telemetry.Rerank{ModelCall: call(2_000_000, telemetry.BookCost, 0), Ordered: true, Displacement: 0.25})
	in.Rerank(&telemetry.Rerank{ModelCall: call(0, telemetry.NoCost, 0)})
	in.Chat(&telemetry.Chat{Origin: telemetry.Origin{Service: "app"}, CostNanoUSD: 12})
	in.ChatAddition(&telemetry.ChatAddition{Service: "app", CostNanoUSD: 3})

	of := func(kv ...string) map[string]string {
		all := map[string]string{AttrProvider: "groq", AttrResponseModel: "m", AttrFamily: Other, AttrService: "app"}
		for i := 0; i < len(kv); i += 2 {
			all[kv[i]] = kv[i+1]
		}
		return all
	}
	got := collect(t, reader)
	for name := range got {
		switch name {
		case LLMCost, LLMUnpricedTokens, ChatCost, RerankDisplacement:
		default:
			delete(got, name)
		}
	}
	compare(t, map[string][]one{
		LLMCost: {
			{of(AttrOperation, "chat", AttrCostSource, "price_book"), 7, 0},
			{of(AttrOperation, "chat", AttrCostSource, "reported"), 5, 0},
			{of(AttrOperation, "embeddings", AttrCostSource, "price_book"), 0, 0},
			{of(AttrOperation, "rerank", AttrCostSource, "price_book"), 2_000_000, 0},
		},
		LLMUnpricedTokens:  {{of(AttrOperation, "chat"), 30, 0}, {of(AttrOperation, "embeddings"), 2, 0}},
		ChatCost:           {{map[string]string{AttrService: "app"}, 15, 0}},
		RerankDisplacement: {{of(), 1, 0.25}},
	}, got)
}

func TestSearchesBelowTheThreshold(t *testing.T) {
	in, reader := newInstruments(t, Options{Threshold: 0.7})
	for _, top := range []float64{0.69, 0.7, 0.71, 0} {
		in.Retrieval(&telemetry.Retrieval{Duration: time.Second, Documents: 2, Result: telemetry.Found, Scored: true, TopSimilarity: top})
	}
	in.Retrieval(&telemetry.Retrieval{Documents: 3, Result: telemetry.Found})
	in.Retrieval(&telemetry.Retrieval{Documents: -1, Result: telemetry.Unknown})
	in.Retrieval(&telemetry.Retrieval{Documents: 0, Result: telemetry.Empty})
	in.Retrieval(&telemetry.Retrieval{Documents: -1, Result: telemetry.Unknown, Outcome: telemetry.Failed})
	got := collect(t, reader)
	for name, want := range map[string]float64{RetrievalBelow: 2, RetrievalUnscored: 2} {
		if len(got[name]) != 1 || got[name][0].count != int64(want) {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	for _, bad := range []float64{-0.1, 1.1} {
		if _, err := New(Options{Threshold: bad}); err == nil {
			t.Errorf("a threshold of %v was taken", bad)
		}
	}
}
