package snapshot_test

import (
	"fmt"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// playNames makes calls of as many models, and of as many services, as names are
// admitted of each, and of some more.
func playNames(l life) {
	for i := range 250 {
		l.LLMCall(manyNames(fmt.Sprintf("model-%d", i), "one"))
	}
	for i := range 250 {
		l.LLMCall(manyNames("model-999999", fmt.Sprintf("service-%d", i)))
	}
}

func manyNames(model, service string) *telemetry.LLMCall {
	return &telemetry.LLMCall{ModelCall: telemetry.ModelCall{
		Origin: telemetry.Origin{Service: service}, Duration: time.Second, RequestModel: model, ResponseModel: model,
		Provider: "groq", Operation: "chat", HasUsage: true, Tokens: telemetry.Tokens{Input: 10, Output: 20},
	}}
}

// BenchmarkManyNames is a scrape at the bounds of what is admitted.
func BenchmarkManyNames(b *testing.B) {
	l := begin(b, snapshot.Options{MaxAge: time.Hour})
	playNames(l)
	e := expose(b, l.reader)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		l.reader.Invalidate()
		size = get(e, acceptText).Body.Len()
	}
	b.ReportMetric(float64(size), "bytes")
}
