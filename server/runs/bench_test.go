package runs

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
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

// hundredThousand makes the rows of so many runs.
func hundredThousand(b *testing.B) *Viewer {
	t := newRows(1, DefaultListBytes)
	x, err := newRowReader(t, understand.DefaultConfig(), -1)
	if err != nil {
		b.Fatal(err)
	}
	at := time.Unix(1e9, 0)
	const traces = 100
	for n := uint64(0); n < 100_000; n += traces {
		for i := range uint64(traces) {
			var id [16]byte
			binary.BigEndian.PutUint64(id[8:], n+i+1)
			x.groups.begin(id)
		}
		x.take(&journal.Record{Kind: journal.Traces, Position: journal.Position(n * 1000), Admitted: at}, request(traces, 100, n))
	}
	if len(t.at) != 100_000 {
		b.Fatalf("%d rows in %d bytes", len(t.at), t.size())
	}
	return &Viewer{rows: t}
}

// BenchmarkList makes pages of lists of 100,000 runs.
func BenchmarkList(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	v := hundredThousand(b)
	runtime.GC()
	runtime.ReadMemStats(&after)
	below := 0.5
	for name, q := range map[string]Query{
		"newest": {}, "text": {Text: "nowhere"}, "found": {Text: "cha"}, "duration": {Sort: "duration"}, "model": {Model: "llama"}, "id": {Text: "00000ff"},
		"similarity": {SimilarityBelow: &below, Sort: "similarity"}, "feedback": {Feedback: "positive"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := v.rows.compile(q)
				if err != nil {
					b.Fatal(err)
				}
				f.score = v.scoreOf
				best := best{most: 101}
				best.scan(v.rows, f, nil)
				for _, h := range best.hits {
					v.summary(h.r, h.c)
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
		})
	}
}

// BenchmarkFollow does what the tail does with a record, far above the budget and
// without one: 10,000 traces a second by the journal's clock.
func BenchmarkFollow(b *testing.B) {
	const traces = 128
	bodies := make([][]byte, 256)
	for i := range bodies {
		bodies[i] = request(traces, 1536, uint64(i*traces))
	}
	for name, rate := range map[string]float64{"budget": DefaultRate, "all": -1} {
		b.Run(name, func(b *testing.B) {
			x := newIndex(DefaultIndexBytes, 1, 0, time.Time{})
			list, err := newRowReader(newRows(1, DefaultListBytes), understand.DefaultConfig(), rate)
			if err != nil {
				b.Fatal(err)
			}
			list.budget.common, list.budget.kept = 0, 0
			at := time.Unix(1e9, 0)
			pos := journal.Position(0)
			b.ReportAllocs()
			for b.Loop() {
				i := int(pos/1e6) % len(bodies)
				if i == 0 { // the same traces again are others
					list.rows = newRows(1, DefaultListBytes)
					clear(list.budget.skipped)
				}
				body := bodies[i]
				rec := &journal.Record{Kind: journal.Traces, Position: pos, End: pos + 1e6, Admitted: at}
				x.add(rec, body, &list.groups)
				list.take(rec, body)
				x.reached.Advance(rec.End)
				at = at.Add(traces * time.Second / 10_000)
				pos += 1e6
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*traces*4), "ns/span")
		})
	}
}
