package export

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"pgregory.net/rapid"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// TestNoHourHasMore takes in any pattern: no window of an hour has more than the limit,
// save for what one request is larger than the bucket.
func TestNoHourHasMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(12, 100_000).Draw(t, "limit")
		start := time.Unix(0, 0)
		now := start
		b := newBudget(Config{SpansPerHour: limit}, now)
		type taken struct {
			at time.Time
			n  float64
		}
		var all []taken
		for range rapid.IntRange(1, 300).Draw(t, "requests") {
			n := float64(rapid.Int64Range(1, max(1, limit/12)).Draw(t, "n"))
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "pause")))
			for wait := b.take(now, 1, n, 1); wait > 0; wait = b.take(now, 1, n, 1) {
				now = now.Add(wait)
			}
			all = append(all, taken{now, n})
		}
		for i := range all {
			sum := 0.0
			for j := i; j < len(all) && all[j].at.Sub(all[i].at) < time.Hour; j++ {
				sum += all[j].n
			}
			if sum > float64(limit)+1 {
				t.Fatalf("an hour has %v of %d", sum, limit)
			}
		}
	})
}

// TestSpillStaysInTheJournal sends no more than the limits allow, in their time, and a
// stop while it waits loses nothing.
func TestSpillStaysInTheJournal(t *testing.T) {
	for name, c := range map[string]Config{
		"spans":    {SpansPerHour: 120, BatchSpans: 10},
		"requests": {RequestsPerHour: 12, BatchSpans: 10},
	} {
		sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
			for i := range 10 {
				stand.spans(ids(1+10*i, 10))
			}
			sink := stand.sink(b, c)
			settleFor(time.Minute)
			status := sink.Status()
			if status.SentSpans != 10 || status.QueueSpans != 90 || status.Budget == nil || status.Budget.WaitingUntil == nil || status.Budget.LeftRatio > 0.3 || status.State != Running {
				t.Errorf("%s: after a minute %+v with %+v", name, status, status.Budget)
			}
			settleFor(30 * time.Minute)
			if sent := sink.Status().SentSpans; sent < 50 || sent > 70 {
				t.Errorf("%s: after half an hour %d sent", name, sent)
			}
			stop(t, sink)
			again, err := New(sink.config, stand.deps(b.transport()))
			if err != nil {
				t.Fatal(err)
			}
			again.Start()
			settleFor(2 * time.Hour)
			checkAccount(t, again, account{Admitted: 100, Sent: 100})
			b.checkTaken(100)
			if err := again.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// worthy makes a trace of two spans, the first of which is worth something.
func worthy(t testing.TB, trace uint64, of value) []byte {
	t.Helper()
	traces := ptrace.NewTraces()
	scope := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	for i := range 2 {
		span := scope.Spans().AppendEmpty()
		var id [16]byte
		binary.BigEndian.PutUint64(id[8:], trace)
		span.SetTraceID(id)
		span.SetSpanID([8]byte{byte(i), 1, 2, 3, byte(trace >> 24), byte(trace >> 16), byte(trace >> 8), byte(trace)})
		span.SetStartTimestamp(1_000_000_000)
		span.SetEndTimestamp(2_000_000_000)
		if i > 0 {
			continue
		}
		switch of {
		case failing:
			span.Status().SetCode(ptrace.StatusCodeError)
		case unlike:
			span.Attributes().PutStr("gen_ai.retrieval.documents", `[{"score":0.2},{"score":0.4}]`)
		case slow:
			span.SetEndTimestamp(12_000_000_000)
		}
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestTheMostValuableGoFirst has ten times as much to send as it may: every failed
// trace arrives, then those that found little, the slow ones, and few of the others;
// all of them whole, and the share is shown.
func TestTheMostValuableGoFirst(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		sink := stand.sink(b, Config{SpansPerHour: 2400, OverBudget: OverBudgetSample, BatchSpans: 100})
		total := map[value]int{}
		of := map[uint64]value{}
		trace := uint64(0)
		for range 120 { // each half minute of an hour, a hundred traces
			for i := range 100 {
				trace++
				v := ordinary
				switch {
				case i < 1:
					v = failing
				case i < 3:
					v = unlike
				case i < 6:
					v = slow
				}
				total[v]++
				of[trace] = v
				stand.append(journal.Entry{Items: 2, Body: worthy(t, trace, v)})
			}
			settleFor(30 * time.Second)
		}
		spans := map[uint64]int{}
		for _, p := range b.got() {
			for _, span := range p.spans {
				spans[span.trace]++
			}
		}
		arrived := map[value]int{}
		for id, n := range spans {
			if n != 2 {
				t.Fatalf("trace %d arrived with %d of its 2 spans", id, n)
			}
			arrived[of[id]]++
		}
		got := map[value]float64{}
		for v, n := range arrived {
			got[v] = float64(n) / float64(total[v])
		}
		status := sink.Status()
		if got[failing] != 1 || got[unlike] < got[slow] || got[slow] < got[ordinary] || got[ordinary] > 0.15 || got[unlike] < 0.8 {
			t.Errorf("shares that arrived: failing %.2f, unlike %.2f, slow %.2f, ordinary %.2f", got[failing], got[unlike], got[slow], got[ordinary])
		}
		if status.SentSpans > 2400 || status.SentSpans < 1600 || status.SampledOutSpans == 0 || status.Budget.OrdinaryShareRatio >= 1 {
			t.Errorf("%+v with %+v", status, status.Budget)
		}
		if want := float64(status.SentSpans) / float64(status.SentSpans+status.SampledOutSpans); status.SentRatio != want {
			t.Errorf("sent ratio %v, want %v", status.SentRatio, want)
		}
		checkAccount(t, sink, accountOf(status))
	})
}

// TestTracesStayWhole decides once over a trace that comes in pieces, and on runs as on
// spans.
func TestTracesStayWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newThrift(Config{SpansPerHour: 120, OverBudget: OverBudgetSample}, time.Now())
		goes := map[uint64]bool{}
		for round := range 3 {
			for trace := range uint64(100) {
				_, n, err := h.of(worthy(t, trace, ordinary), time.Now(), 0)
				if err != nil {
					t.Fatal(err)
				}
				if was, known := goes[trace]; known && was != (n > 0) {
					t.Errorf("round %d decides otherwise on trace %d", round, trace)
				}
				goes[trace] = n > 0
			}
		}
		// By now the budget is used up: of two runs that nothing was decided on, the one
		// that failed goes.
		parcels, _, err := langsmith.Parcels([]byte(`{"post":[` + placed(otherID, otherID, "") + `,` + placed(rootID, rootID, `,"error":"boom"`) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if kept := h.ofParcels(parcels, time.Now(), 0); len(kept) != 1 || kept[0].ID.String() != rootID {
			t.Errorf("%d runs go", len(kept))
		}
	})
}

func TestBudgetSettings(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{OverBudget: OverBudgetSample}, "sinks.s.over_budget: there is nothing to sample by"},
		{Config{OverBudget: "drop", SpansPerHour: 1}, `"drop" is not known`},
		{Config{SpansPerHour: -1}, "sinks.s.spans_per_hour"},
	} {
		c.config.Name, c.config.Endpoint = "s", "http://x"
		if err := c.config.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
