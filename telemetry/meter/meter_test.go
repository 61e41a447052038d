package meter

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
	"treq/telemetry/understand"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a meter with what it needs, on one directory over several lives.
type house struct {
	t       *testing.T
	dir     string
	rules   understand.Config
	journal *journal.Journal
	reader  *snapshot.Reader
	meter   *Meter
	stop    func() error
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, dir: t.TempDir(), rules: understand.DefaultConfig()}
	// Fragments close as soon as the clock moves on.
	h.rules.CloseRoot, h.rules.CloseChain, h.rules.CloseLeaf = time.Millisecond, time.Millisecond, time.Millisecond
	t.Cleanup(func() {
		if h.journal != nil {
			h.crash()
		}
	})
	return h
}

// start opens journal and meter, and runs the meter if asked to.
func (h *house) start(run bool, checkpoints time.Duration) {
	h.t.Helper()
	var err error
	h.journal, err = journal.Open(h.t.Context(), filepath.Join(h.dir, "journal"), journal.Options{
		SegmentBytes: 64 << 10, Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	store := reported.NewStore(reported.Options{})
	instruments, err := instrument.New(instrument.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.reader = snapshot.NewReader(snapshot.Options{Instruments: instruments, Producers: []sdkmetric.Producer{store}})
	snapshot.NewProvider(h.reader)
	h.meter, err = Open(h.t.Context(), Options{
		Dir: h.dir, Journal: h.journal, Rules: h.rules, Instruments: instruments, Reader: h.reader,
		Reported: store, Logger: slog.New(slog.DiscardHandler), CheckpointInterval: checkpoints,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.stop = func() error { return nil }
	if !run {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.meter.Run(ctx) }()
	h.stop = func() error { cancel(); return <-done }
}

// crash ends a life and forgets its last checkpoint, as if it never ran.
func (h *house) crash() {
	newest := h.generations()
	_ = h.stop()
	_ = h.journal.Close()
	h.journal = nil
	// What the clean end wrote is taken back.
	for path, content := range newest {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	for i := range 2 {
		path := generations(h.dir).Path(i)
		if _, ok := newest[path]; !ok {
			_ = os.Remove(path)
		}
	}
}

func (h *house) generations() map[string][]byte {
	out := map[string][]byte{}
	for i := range 2 {
		path := generations(h.dir).Path(i)
		if b, err := os.ReadFile(path); err == nil {
			out[path] = b
		}
	}
	return out
}

func (h *house) append(body []byte) journal.Receipt {
	h.t.Helper()
	r, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: journal.Traces, Door: "http", Items: 3, Body: body})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// tally waits until everything is counted and no span waits any more.
func (h *house) tally() snapshot.Tally {
	h.t.Helper()
	if err := h.meter.WaitCounted(h.t.Context(), h.journal.Durable()); err != nil {
		h.t.Fatal(err)
	}
	time.Sleep(time.Second) // of the bubble: every fragment closes
	synctest.Wait()
	if open := h.meter.OpenSpans(); open != 0 {
		h.t.Fatalf("%d spans still wait for their fragment", open)
	}
	h.reader.Invalidate()
	s, err := h.reader.Snapshot(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return s.Tally("")
}

// chat is a question with one search and one model call, the n-th.
func chat(n int) []byte {
	var trace [16]byte
	binary.BigEndian.PutUint64(trace[8:], uint64(n)+1)
	span := func(i byte) (id [8]byte) {
		binary.BigEndian.PutUint64(id[:], uint64(n)<<8|uint64(i))
		return id
	}
	const second = uint64(time.Second)
	spans := []otlp.SpanData{
		{TraceID: trace, SpanID: span(3), ParentID: span(1), Name: "retrieval docs", Start: second, End: 2 * second, Attributes: []otlp.KV{
			otlp.Str("gen_ai.operation.name", "retrieval"), otlp.Str("gen_ai.data_source.id", "docs"),
			otlp.List("gen_ai.retrieval.documents", otlp.Group("", otlp.Str("id", "a"), otlp.F64("score", 0.75))),
		}},
		{TraceID: trace, SpanID: span(2), ParentID: span(1), Name: "chat", Kind: otlp.KindClient, Start: 2 * second, End: 3 * second, Attributes: []otlp.KV{
			otlp.Str("gen_ai.operation.name", "chat"), otlp.Str("gen_ai.provider.name", "groq"),
			otlp.Str("gen_ai.request.model", fmt.Sprintf("llama-3.1-8b-%d", n%3)),
			otlp.I64("gen_ai.usage.input_tokens", int64(100+n%7)), otlp.I64("gen_ai.usage.output_tokens", 20),
		}},
		{TraceID: trace, SpanID: span(1), Name: "POST /chat", Kind: otlp.KindServer, Start: second, End: 4 * second},
	}
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", "backend")},
		Scopes:     []otlp.ScopeData{{Name: "test", Spans: spans}},
	})
}

func TestTotalsAreExactOverCrashes(t *testing.T) { synctest.Test(t, totalsAreExactOverCrashes) }

func totalsAreExactOverCrashes(t *testing.T) {
	const lives, perLife = 12, 60
	random := rand.New(rand.NewPCG(1, 2))
	h := newHouse(t)
	var want snapshot.Tally
	n := 0
	for life := range lives {
		h.start(true, time.Millisecond)
		for range perLife {
			h.append(chat(n))
			if random.IntN(4) == 0 {
				h.append(chat(random.IntN(n + 1))) // sent again by a client that heard nothing
			}
			want.Chats++
			want.Searches++
			want.LLMCalls++
			want.LLMTokens += int64(120 + n%7)
			n++
		}
		switch life % 3 {
		case 0:
			h.crash()
		case 1:
			h.tally()
			h.crash()
		case 2:
			if err := h.stop(); err != nil {
				t.Fatal(err)
			}
			h.stop = func() error { return nil }
			if err := h.journal.Close(); err != nil {
				t.Fatal(err)
			}
			h.journal = nil
		}
	}
	h.start(true, time.Hour)
	got := h.tally()
	figures := func(s snapshot.Tally) []int64 { return []int64{s.Chats, s.Searches, s.LLMCalls, s.LLMTokens} }
	if d := cmp.Diff(figures(want), figures(got)); d != "" {
		t.Errorf("chats, searches, calls, tokens after %d crashes (-want +got):\n%s", lives, d)
	}
}

func TestSpansAreKnownOverARestart(t *testing.T) { synctest.Test(t, spansAreKnownOverARestart) }

func spansAreKnownOverARestart(t *testing.T) {
	h := newHouse(t)
	h.start(true, time.Hour)
	for n := range 2000 { // several segments
		h.append(chat(n))
	}
	h.tally()
	if len(h.journal.Segments()) < 3 {
		t.Fatal("the test wants several segments")
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	_ = h.journal.Close()
	h.start(true, time.Hour)
	for n := range 2000 {
		// The same spans in requests that differ.
		h.append(append(chat(n), chat(n+10_000)...))
	}
	if got := h.tally().Chats; got != 4000 {
		t.Errorf("2000 chats, then the same with 2000 new ones: counted %d", got)
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	h.stop = func() error { return nil }
}

func TestReadyOnlyWhenThePastIsCounted(t *testing.T) { synctest.Test(t, readyOnlyWhenThePastIsCounted) }

func readyOnlyWhenThePastIsCounted(t *testing.T) {
	h := newHouse(t)
	h.start(false, time.Hour)
	h.append(chat(1))
	h.crash()
	h.start(false, time.Hour)
	if err := h.meter.Ready(); err == nil {
		t.Error("Ready is nil before the replay")
	}
	h.crash()
	h.start(true, time.Hour)
	h.tally()
	if err := h.meter.Ready(); err != nil {
		t.Errorf("Ready after the replay: %v", err)
	}
}

func TestWaitCountedEndsWithItsContext(t *testing.T) { synctest.Test(t, waitCountedEndsWithItsContext) }

func waitCountedEndsWithItsContext(t *testing.T) {
	h := newHouse(t)
	h.start(false, time.Hour)
	r := h.append(chat(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.meter.WaitCounted(ctx, r.End); err == nil {
		t.Error("WaitCounted is nil for what nobody counted")
	}
}

func TestEverySpanFindsOneDisposition(t *testing.T) { synctest.Test(t, everySpanFindsOneDisposition) }

func everySpanFindsOneDisposition(t *testing.T) {
	h := newHouse(t)
	h.start(true, time.Hour)
	for n := range 50 {
		h.append(chat(n / 2)) // every request twice
	}
	h.tally()
	s, err := h.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if admitted, found := sum(t, s, instrument.PipelineAdmitted), sum(t, s, instrument.PipelineSpans); admitted != 150 || found != 150 {
		t.Errorf("150 spans: %d admitted, %d with a disposition", admitted, found)
	}
}

func sum(t *testing.T, s *snapshot.Snapshot, name string) (total int64) {
	t.Helper()
	m, ok := s.Metric(instrument.MeterScope, name)
	if !ok {
		t.Fatalf("%s is missing", name)
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		total += p.Value
	}
	return total
}
