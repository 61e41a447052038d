package runs

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// request makes a request of traces of four spans each, with content of some bytes
// on one of them; ids start from number.
func request(traces, content int, number uint64) []byte {
	var r otlp.ResourceData
	r.Attributes = []otlp.KV{otlp.Str(semconv.ServiceName, "assistant")}
	var scope otlp.ScopeData
	for i := range traces {
		n := number + uint64(i)
		var s otlp.SpanData
		binary.BigEndian.PutUint64(s.TraceID[8:], n+1)
		for k := range 4 {
			s.ParentID = s.SpanID
			binary.BigEndian.PutUint64(s.SpanID[:], n<<2|uint64(k)|1<<63)
			s.Name, s.Start, s.End = "chat", 1e18, 1e18+1e9
			s.Attributes = []otlp.KV{otlp.Str(semconv.GenAIOperationName, "chat"), otlp.Str(semconv.GenAIRequestModel, "llama"), otlp.I64(semconv.GenAIInputTokens, 12)}
			if k == 3 {
				s.Attributes = append(s.Attributes, otlp.Str(semconv.GenAIPrompt, strings.Repeat("x", content)))
			}
			scope.Spans = append(scope.Spans, s)
		}
	}
	r.Scopes = []otlp.ScopeData{scope}
	return otlp.AppendTraceRequest(nil, r)
}

func BenchmarkIndex(b *testing.B) {
	const traces = 128
	bodies := make([][]byte, 64)
	for i := range bodies {
		bodies[i] = request(traces, 1536, uint64(i*traces))
	}
	x := newIndex(DefaultIndexBytes, 1, 0, time.Time{})
	at := time.Unix(1e9, 0)
	var pos journal.Position
	var into groups
	b.ReportAllocs()
	b.SetBytes(int64(len(bodies[0])))
	for b.Loop() {
		body := bodies[int(pos)%len(bodies)]
		x.add(&journal.Record{Kind: journal.Traces, Position: pos, End: pos + 1, Admitted: at}, body, &into)
		into.list = into.list[:0]
		pos++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*traces*4), "ns/span")
}
