package runs

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// longRun makes the spans of one run, each with so much content.
func longRun(trace uint64, spans, content int) []otlp.SpanData {
	list := make([]otlp.SpanData, spans)
	for i := range list {
		s := &list[i]
		binary.BigEndian.PutUint64(s.TraceID[8:], trace)
		binary.BigEndian.PutUint64(s.SpanID[:], trace<<16|uint64(i+1))
		if i > 0 {
			s.ParentID = list[(i-1)/4].SpanID
		}
		s.Name, s.Start, s.End = "chat", 1e18+uint64(i)*1e6, 1e18+1e9
		s.Attributes = []otlp.KV{
			otlp.Str(semconv.GenAIOperationName, "chat"), otlp.Str(semconv.GenAIRequestModel, "llama"), otlp.I64(semconv.GenAIInputTokens, 12),
			otlp.Str(semconv.GenAIPrompt, strings.Repeat("prompt ", content/14)), otlp.Str(semconv.GenAICompletion, strings.Repeat("answer ", content/14)),
		}
	}
	return list
}

func scope(spans []otlp.SpanData) []byte {
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, "assistant")},
		Scopes:     []otlp.ScopeData{{Name: "bench", Spans: spans}},
	})
}

// BenchmarkGet reads single runs out of a journal with 100,000 others:
// near its beginning, which the index of all ids has let go, and near its end. In
// «alone» the run is a request of its own, in «among» one of 64 of a request.
func BenchmarkGet(b *testing.B) {
	j, err := journal.Open(b.Context(), filepath.Join(b.TempDir(), "journal"), journal.Options{Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	// The runs have four spans each; half the index lets go of as many as all of it does of eight.
	v, err := Open(Options{Journal: j, Rules: understand.DefaultConfig(), Logger: slog.New(slog.DiscardHandler), Rate: -1, IndexBytes: DefaultIndexBytes / 2})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		v.Close()
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	var receipt journal.Receipt
	put := func(body []byte) {
		if receipt, err = j.Append(b.Context(), &journal.Entry{Kind: journal.Traces, Door: "http", Body: body}); err != nil {
			b.Fatal(err)
		}
	}
	type target struct {
		name  string
		trace uint64
	}
	var targets []target
	plant := func(where string, base uint64) {
		for _, shape := range []struct{ spans, content int }{{8, 16 << 10}, {200, 2 << 10}, {200, 16 << 10}} {
			name := fmt.Sprintf("%s/%d×%dKiB", where, shape.spans, shape.content>>10)
			base++
			put(scope(longRun(base, shape.spans, shape.content)))
			targets = append(targets, target{name + "/alone", base})
			if shape.spans > 8 {
				continue
			}
			var all []otlp.SpanData
			for i := range uint64(64) {
				all = append(all, longRun(base<<20+i, shape.spans, shape.content)...)
			}
			put(scope(all))
			targets = append(targets, target{name + "/among", base<<20 + 32})
		}
	}
	plant("oldest", 1<<30)
	for n := uint64(0); n < 100_000; n += 128 {
		put(request(128, 100, n))
	}
	plant("newest", 1<<31)
	if err := v.index.reached.Await(b.Context(), receipt.End); err != nil {
		b.Fatal(err)
	}
	for _, x := range targets {
		b.Run(x.name, func(b *testing.B) {
			var id [16]byte
			binary.BigEndian.PutUint64(id[8:], x.trace)
			b.ReportAllocs()
			slowest := time.Duration(0)
			for b.Loop() {
				began := time.Now()
				run, err := v.Get(b.Context(), fmt.Sprintf("%x", id), true)
				if err != nil || run.Spans < 8 {
					b.Fatal(run, err)
				}
				slowest = max(slowest, time.Since(began))
			}
			b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
		})
	}
}
