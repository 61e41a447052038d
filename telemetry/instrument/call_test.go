package instrument

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry"
)

// TestCallsAreMeasuredAsIfNew: a kind of call that was measured before is measured on the
// same series as one that is not known, whatever folds, for want of room for values or
// for series, and however kinds push each other out.
func TestCallsAreMeasuredAsIfNew(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{MaxValues: rapid.IntRange(1, 6).Draw(rt, "values"), MaxSeries: rapid.IntRange(4, 40).Draw(rt, "series")}
		known, knownReader := newInstruments(t, o)
		plain, plainReader := newInstruments(t, o)
		word := func(what string) string {
			words := []string{"", "a", "b", "b ", "other", "unknown", "llama-8b", "glm", "embeddings", "rerank", "chat"}
			return rapid.SampledFrom(words).Draw(rt, what)
		}
		kinds := make([]telemetry.ModelCall, rapid.IntRange(1, 8).Draw(rt, "kinds"))
		for i := range kinds {
			kinds[i] = telemetry.ModelCall{
				Origin:  telemetry.Origin{Service: word("service"), TraceID: [16]byte{1}},
				Outcome: telemetry.Outcome(rapid.IntRange(0, 1).Draw(rt, "outcome")), ErrorType: word("error"),
				Operation: word("operation"), Provider: word("provider"), RequestModel: word("request"), ResponseModel: word("response"),
				Tokens: telemetry.Tokens{Input: 3, CacheRead: 1, Output: 2}, CostNanoUSD: 5,
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "calls") {
			c := rapid.SampledFrom(kinds).Draw(rt, "call")
			c.Duration = rapid.SampledFrom([]time.Duration{telemetry.UnknownDuration, 0, time.Second}).Draw(rt, "duration")
			c.HasUsage = rapid.Bool().Draw(rt, "usage")
			c.CostSource = telemetry.CostSource(rapid.IntRange(0, 2).Draw(rt, "source"))
			c.UnpricedTokens = rapid.Int64Range(0, 1).Draw(rt, "unpriced")
			kind := rapid.IntRange(0, 2).Draw(rt, "kind")
			for _, in := range []*Instruments{known, plain} {
				c := c
				switch kind {
				case 0:
					in.LLMCall(&telemetry.LLMCall{ModelCall: c, TimeToFirstToken: time.Second, Stream: telemetry.StreamCompleted})
				case 1:
					in.Embedding(&telemetry.Embedding{ModelCall: c})
				default:
					in.Rerank(&telemetry.Rerank{ModelCall: c, Ordered: true, Displacement: 0.5})
				}
			}
			clear(plain.calls[:])
		}
		if diff := cmp.Diff(fmt.Sprint(collect(t, plainReader)), fmt.Sprint(collect(t, knownReader))); diff != "" {
			rt.Fatalf("(-as if new +known):\n%s", diff)
		}
	})
}
