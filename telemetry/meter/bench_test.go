package meter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/pricing"
	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
	"treq/telemetry/understand"
)

// flow is a request of four-span RAG traces, the payload of package bench, whose
// ids are rewritten in place from one record to the next.
type flow struct {
	body   []byte
	spans  int
	places []idPlace
}

type idPlace struct{ at, size, index int }

const flowSpans = 4

// newFlow makes a request of traces with content bytes of prompt and of answer;
// rootless leaves the root span out, so that the traces stay open for minutes.
func newFlow(tb testing.TB, traces, content int, rootless bool) *flow {
	tb.Helper()
	f := &flow{}
	var spans []otlp.SpanData
	for n := range traces {
		one := flowTrace(n, content)
		if rootless {
			one = one[1:]
		}
		spans = append(spans, one...)
	}
	f.spans = len(spans)
	f.body = otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{
			otlp.Str("service.name", "treq-backend"), otlp.Str("service.version", "1.4.2"),
			otlp.Str("deployment.environment.name", "production"),
		},
		Scopes: []otlp.ScopeData{{Name: "bench", Spans: spans}},
	})
	for at := 0; at+8 <= len(f.body); at++ {
		if f.body[at] != 0xf7 || f.body[at+1] != 0x5a {
			continue
		}
		size := 8
		if f.body[at+2] == 0 {
			size = 16
		}
		f.places = append(f.places, idPlace{at, size, int(binary.BigEndian.Uint32(f.body[at+4:]))<<3 | int(f.body[at+2])})
		at += size - 1
	}
	want := traces * (4 + 4 + 3)
	if rootless {
		want = traces * (3 + 3 + 3)
	}
	if len(f.places) != want {
		tb.Fatalf("found %d ids, want %d", len(f.places), want)
	}
	return f
}

func flowTrace(n, content int) []otlp.SpanData {
	id := func(which byte) (id [16]byte) {
		id[0], id[1], id[2], id[3] = 0xf7, 0x5a, which, 0xa5
		binary.BigEndian.PutUint32(id[4:], uint32(n))
		return id
	}
	model := []string{"llama-3.1-8b-instant", "llama-3.1-8b-instant", "llama-3.3-70b-versatile", "glm-4.7"}[n%4]
	start := uint64(flowEpoch.UnixNano())
	span := func(which, parent byte, name string, kind otlp.SpanKind, from, to uint64, attributes ...otlp.KV) otlp.SpanData {
		sp := otlp.SpanData{
			TraceID: id(0), Name: name, Kind: kind, Status: otlp.StatusOK, Attributes: attributes,
			Start: start + from*1e6, End: start + to*1e6,
		}
		own := id(which)
		copy(sp.SpanID[:], own[:])
		if parent != 0 {
			above := id(parent)
			copy(sp.ParentID[:], above[:])
		}
		return sp
	}
	generation := []otlp.KV{
		otlp.Str("gen_ai.operation.name", "chat"), otlp.Str("gen_ai.provider.name", "groq"),
		otlp.Str("gen_ai.request.model", model), otlp.Str("gen_ai.response.model", model),
		otlp.Str("gen_ai.response.id", "chatcmpl-8a7f6e5d"), otlp.F64("gen_ai.request.temperature", 0.2),
		otlp.I64("gen_ai.request.max_tokens", 1024), otlp.I64("gen_ai.usage.input_tokens", int64(180+n%40)),
		otlp.I64("gen_ai.usage.output_tokens", int64(90+n%30)), otlp.Str("gen_ai.output.type", "text"),
		otlp.Str("server.address", "api.groq.com"), otlp.I64("server.port", 443),
	}
	if content > 0 {
		text := strings.Repeat("válvula de alívio ", content/18+1)[:content]
		generation = append(generation, otlp.Str("gen_ai.input.messages", text), otlp.Str("gen_ai.output.messages", text))
	}
	return []otlp.SpanData{
		span(1, 0, "POST /chat", otlp.KindServer, 0, 850,
			otlp.Str("http.request.method", "POST"), otlp.Str("http.route", "/chat"), otlp.I64("http.response.status_code", 200),
			otlp.Str("url.path", "/chat"), otlp.Str("url.scheme", "http"), otlp.Str("network.protocol.version", "1.1"),
			otlp.Str("server.address", "treq-backend"), otlp.Str("user_agent.original", "Mozilla/5.0"), otlp.Str("client.address", "10.0.0.7")),
		span(2, 1, "retrieval manuais", otlp.KindClient, 10, 130,
			otlp.Str("gen_ai.operation.name", "retrieval"), otlp.Str("gen_ai.data_source.id", "manuais"),
			otlp.Str("gen_ai.retrieval.documents", `[{"id":"doc-1","score":0.74},{"id":"doc-2","score":0.63}]`),
			otlp.Str("db.system.name", "supabase"), otlp.Str("db.operation.name", "query"), otlp.Str("db.collection.name", "documentos"),
			otlp.I64("gen_ai.request.top_k", 5)),
		span(3, 2, "embeddings bge-m3", otlp.KindClient, 12, 40,
			otlp.Str("gen_ai.operation.name", "embeddings"), otlp.Str("gen_ai.provider.name", "huggingface"),
			otlp.Str("gen_ai.request.model", "bge-m3"), otlp.I64("gen_ai.usage.input_tokens", 14),
			otlp.I64("gen_ai.embeddings.dimension.count", 1024), otlp.Str("server.address", "embeddings")),
		span(4, 1, "chat "+model, otlp.KindClient, 150, 800, generation...),
	}
}

var flowEpoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// renew gives all spans of the request ids of their own.
func (f *flow) renew(n uint64) {
	var id [16]byte
	for _, p := range f.places {
		binary.BigEndian.PutUint64(id[:], spread(uint64(p.index)<<36^n))
		binary.BigEndian.PutUint64(id[8:], n)
		copy(f.body[p.at:], id[:p.size])
	}
}

// spread is a bijection (splitmix64), so that ids of 8 bytes stay unique.
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// bench is a meter that is handed records, at a clock that moves with them.
type bench struct {
	tb     testing.TB
	meter  *Meter
	reader *snapshot.Reader
	now    time.Time
	at     journal.Position
	n      uint64
	passed int
}

func newBench(tb testing.TB) *bench {
	tb.Helper()
	b := &bench{tb: tb, now: flowEpoch.Add(time.Second)}
	dir := tb.TempDir()
	log, err := journal.Open(tb.Context(), filepath.Join(dir, "journal"), journal.Options{
		Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return flowEpoch },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = log.Close() })
	// The records handed over stand behind this one, in its segment.
	r, err := log.Append(tb.Context(), &journal.Entry{Kind: journal.Logs, Door: "http", Body: []byte{}})
	if err != nil {
		tb.Fatal(err)
	}
	b.at = r.End
	rules := understand.DefaultConfig()
	rules.Pricer = pricing.NewFinder(pricing.Embedded())
	store := reported.NewStore(reported.Options{})
	instruments, err := instrument.New(instrument.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	b.reader = snapshot.NewReader(snapshot.Options{Instruments: instruments, Producers: []sdkmetric.Producer{store}})
	snapshot.NewProvider(b.reader)
	b.meter, err = Open(tb.Context(), Options{
		Dir: dir, Journal: log, Rules: rules, Instruments: instruments, Reader: b.reader, Reported: store,
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return b.now },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.meter.settle(); err != nil {
			tb.Error(err)
		}
		_ = b.meter.close()
	})
	return b
}

// hand has a request counted as the next record, after some time.
func (b *bench) hand(f *flow, after time.Duration) {
	b.now = b.now.Add(after)
	b.n++
	f.renew(b.n)
	rec := &journal.Record{
		Kind: journal.Traces, Position: b.at, End: b.at + journal.Position(len(f.body)+64),
		Items: uint32(f.spans), Admitted: b.now, Body: f.body,
	}
	rec.Retain()
	b.at = rec.End
	if err := b.meter.take(rec); err != nil {
		b.tb.Fatal(err)
	}
	if err := b.meter.checkpointIfDue(); err != nil {
		b.tb.Fatal(err)
	}
	if b.passed += len(f.body); b.passed > 64<<20 {
		// What the end of a segment does.
		b.passed = 0
		b.meter.sidecars.data = b.meter.sidecars.data[:0]
	}
}

// fullLoad is the rate, in spans a second, at which a machine of two cores is full.
const fullLoad = 300_000

func gapOf(f *flow) time.Duration { return time.Duration(f.spans) * time.Second / fullLoad }

// warm hands over records until holding, closing, remembering and forgetting are
// in their steady state.
func (b *bench) warm(f *flow, spans int) {
	for done := 0; done < spans; done += f.spans {
		b.hand(f, gapOf(f))
	}
}

// BenchmarkMeter is the whole of counting, from a journal record to the
// instruments, checkpoints included: the payload of package bench at full load.
func BenchmarkMeter(b *testing.B) {
	for _, content := range []int{0, 1536} {
		for _, batch := range []int{64, 512} {
			b.Run(fmt.Sprintf("content=%d/batch=%d", content, batch), func(b *testing.B) {
				h := newBench(b)
				f := newFlow(b, batch/flowSpans, content, false)
				h.warm(f, 1_000_000)
				b.SetBytes(int64(len(f.body)))
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					h.hand(f, gapOf(f))
				}
				b.StopTimer()
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(f.spans), "ns/span")
			})
		}
	}
}

// BenchmarkHeld is what the meter's heap holds at full load, all bounds reached,
// less the table of spans seen.
func BenchmarkHeld(b *testing.B) {
	for range b.N {
		h := newBench(b)
		before := heap()
		f := newFlow(b, 512/flowSpans, 1536, false)
		h.warm(f, 2_000_000)
		stats := h.meter.engine.Stats()
		held := heap() - before - int64(stats.HorizonBytes)
		b.ReportMetric(float64(held)/(1<<20), "MiB")
		b.ReportMetric(float64(stats.OpenSpans), "open-spans")
		b.ReportMetric(float64(stats.Remembered), "remembered-spans")
		b.ReportMetric(float64(stats.ClosedEarly), "closed-early")
	}
}

func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkUptime shows that a span costs no more after many: ns/span of a meter
// that counted 10 million spans and has 10,000 traces open, beside a fresh one's.
func BenchmarkUptime(b *testing.B) {
	const measured = 1_000_000
	f := newFlow(b, 512/flowSpans, 1536, false)
	cost := func(h *bench) time.Duration {
		start := time.Now()
		h.warm(f, measured)
		return time.Since(start)
	}
	for range b.N {
		young := newBench(b)
		young.warm(f, measured)
		old := newBench(b)
		old.warm(f, 10_000_000)
		open := newFlow(b, 100, 0, true)
		for range 100 {
			old.hand(open, gapOf(open))
		}
		var fresh, aged time.Duration
		for range 3 { // interleaved, so that a noisy machine is noisy for both
			fresh += cost(young)
			aged += cost(old)
		}
		b.ReportMetric(float64(fresh.Nanoseconds())/(3*measured), "fresh-ns/span")
		b.ReportMetric(float64(aged.Nanoseconds())/(3*measured), "aged-ns/span")
		b.ReportMetric(fresh.Seconds()/aged.Seconds(), "fresh/aged")
	}
}

// TestFlowIsCountedWhole keeps the benchmarks honest: what they hand over counts
// as the chats, searches and calls that it holds.
func TestFlowIsCountedWhole(t *testing.T) {
	h := newBench(t)
	f := newFlow(t, 16, 64, false)
	if bytes.Count(f.body, []byte("POST /chat")) != 16 {
		t.Fatal("the request does not hold 16 chats")
	}
	for range 10 {
		h.hand(f, time.Second)
	}
	h.meter.engine.Advance(h.now.Add(time.Hour))
	h.reader.Invalidate()
	s, err := h.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := s.Tally("")
	if got.Chats != 160 || got.Searches != 160 || got.LLMCalls != 160 {
		t.Errorf("160 traces count as %d chats, %d searches, %d calls", got.Chats, got.Searches, got.LLMCalls)
	}
}
