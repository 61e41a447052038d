package snapshot_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

// row is one series as tests compare it.
type row struct {
	Name, Attributes string
	Count            int64
	Sum              float64
	Buckets          []uint64
}

func rows(t testing.TB, r *snapshot.Reader) []row {
	t.Helper()
	r.Invalidate()
	s, err := r.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for _, scope := range s.Scopes() {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					all = append(all, row{m.Name, encoded(p.Attributes), p.Value, 0, nil})
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					all = append(all, row{m.Name, encoded(p.Attributes), int64(p.Count), p.Sum, p.BucketCounts})
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					all = append(all, row{m.Name, encoded(p.Attributes), int64(p.Count), float64(p.Sum), p.BucketCounts})
				}
			default:
				t.Fatalf("%s: unexpected %T", m.Name, m.Data)
			}
		}
	}
	slices.SortFunc(all, func(a, b row) int { return strings.Compare(a.Name+a.Attributes, b.Name+b.Attributes) })
	return all
}

// Whatever is recorded, wherever it is cut by restarts, the totals are those of
// one life. Durations are multiples of 1/512 s, whose sums are exact.
func TestRestoreThenRecordIsRecord(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole, parts := begin(t, snapshot.Options{}), begin(t, snapshot.Options{})
		for range rapid.IntRange(0, 40).Draw(rt, "events") {
			event := drawEvent(rt)
			event(whole)
			event(parts)
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				parts = parts.reincarnate(t)
			}
		}
		if diff := cmp.Diff(rows(t, whole.reader), rows(t, parts.reader)); diff != "" {
			rt.Errorf("(-one life +several):\n%s", diff)
		}
	})
}

func drawEvent(rt *rapid.T) func(telemetry.Recorder) {
	duration := telemetry.UnknownDuration
	if n := rapid.IntRange(-1, 1<<15).Draw(rt, "duration"); n >= 0 {
		duration = time.Duration(n) * (time.Second / 512)
	}
	origin := telemetry.Origin{Service: rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "service")}
	outcome := rapid.SampledFrom([]telemetry.Outcome{telemetry.Succeeded, telemetry.Failed}).Draw(rt, "outcome")
	n := int64(rapid.IntRange(0, 1000).Draw(rt, "n"))
	switch rapid.IntRange(0, 4).Draw(rt, "kind") {
	case 0:
		rag := telemetry.Evidence(rapid.IntRange(0, 3).Draw(rt, "rag"))
		return func(r telemetry.Recorder) {
			r.Chat(&telemetry.Chat{Origin: origin, Duration: duration, Outcome: outcome, RAG: rag, LLMCalls: n % 3, Tokens: n})
		}
	case 1:
		similarity := float64(n) / 1024
		return func(r telemetry.Recorder) {
			r.Retrieval(&telemetry.Retrieval{
				Origin: origin, Duration: duration, Outcome: outcome, Documents: n - 1,
				Scored: n > 0, MeanSimilarity: similarity, TopSimilarity: similarity, Cache: telemetry.Cache(n & 1),
			})
		}
	case 2:
		model := rapid.SampledFrom([]string{"", "llama-3.1-8b-instant", "glm-4.7"}).Draw(rt, "model")
		return func(r telemetry.Recorder) {
			r.LLMCall(&telemetry.LLMCall{
				ModelCall: telemetry.ModelCall{
					Origin: origin, Duration: duration, Outcome: outcome, ErrorType: "E", RequestModel: model,
					HasUsage: n > 0, Tokens: telemetry.Tokens{Input: n, Output: n / 2},
				},
				Stream: telemetry.StreamOutcome(n & 3),
			})
		}
	case 3:
		return func(r telemetry.Recorder) {
			r.Feedback(&telemetry.Feedback{Service: origin.Service, Scored: n > 0, Score: 0.5})
		}
	default:
		return func(r telemetry.Recorder) { r.Span(telemetry.Disposition(n%5), "reason", origin.Service, n) }
	}
}

func TestTotalsHoldWhatWasRecordedBefore(t *testing.T) {
	l := begin(t, snapshot.Options{MaxAge: time.Hour})
	mustSnapshot(t, l.reader) // which answers questions for an hour, but no checkpoint
	l.Late(5)
	totals, err := l.reader.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next := begin(t, snapshot.Options{})
	if err := next.reader.Restore(totals); err != nil {
		t.Fatal(err)
	}
	want := []row{{Name: instrument.PipelineLate, Count: 5}}
	if diff := cmp.Diff(want, rows(t, next.reader)); diff != "" {
		t.Error(diff)
	}
}

// A total without a live series, and the beginning of its time, are kept.
func TestRestoredSeriesKeepTheirStart(t *testing.T) {
	first := begin(t, snapshot.Options{})
	first.Late(1)
	first.Rejected("x", 1)
	start := startOf(t, first.reader, instrument.PipelineLate)
	second := first.reincarnate(t)
	second.Late(1)
	third := second.reincarnate(t)
	third.Late(1)
	for _, name := range []string{instrument.PipelineLate, instrument.PipelineRejected} {
		if got := startOf(t, third.reader, name); got.Sub(start).Abs() > time.Second || got.IsZero() {
			t.Errorf("%s starts at %v, want about %v", name, got, start)
		}
	}
	if got := startOf(t, third.reader, instrument.PipelineLate); !got.Equal(start) {
		t.Errorf("starts at %v, want %v", got, start)
	}
}

func startOf(t *testing.T, r *snapshot.Reader, name string) time.Time {
	t.Helper()
	m, ok := mustSnapshot(t, r).Metric(instrument.MeterScope, name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	return m.Data.(metricdata.Sum[int64]).DataPoints[0].StartTime
}

// message makes a totals message of one metric.
func message(t *testing.T, fill func(pmetric.Metric)) []byte {
	t.Helper()
	m := pmetric.NewMetrics()
	fill(m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty())
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func chatHistogram(bounds []float64, counts []uint64, count uint64, sum float64) func(pmetric.Metric) {
	return func(m pmetric.Metric) {
		m.SetName(instrument.ChatDuration)
		p := m.SetEmptyHistogram().DataPoints().AppendEmpty()
		p.ExplicitBounds().FromRaw(bounds)
		p.BucketCounts().FromRaw(counts)
		p.SetCount(count)
		p.SetSum(sum)
	}
}

func TestBoundsThatChanged(t *testing.T) {
	l := begin(t, snapshot.Options{})
	// Bounds of another version: up to 0.5 s, up to 4 s, up to 1000 s, beyond.
	if err := l.reader.Restore(message(t, chatHistogram([]float64{0.5, 4, 1000}, []uint64{1, 2, 4, 8}, 15, 99))); err != nil {
		t.Fatal(err)
	}
	want := []row{{
		Name: instrument.ChatDuration, Count: 15, Sum: 99,
		//                 0.05 0.1 .25 .5 .75 1 1.5 2 3 5 7.5 10 15 30 60 120 more
		Buckets: []uint64{0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 12},
	}}
	if diff := cmp.Diff(want, rows(t, l.reader)); diff != "" {
		t.Error(diff)
	}
}

func TestBadTotalsAreRefusedWhole(t *testing.T) {
	sum := func(fill func(pmetric.Sum)) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			m.SetName(instrument.PipelineLate)
			fill(m.SetEmptySum())
		}
	}
	bad := map[string][]byte{
		"no message":      []byte("nonsense"),
		"another kind":    message(t, func(m pmetric.Metric) { m.SetName(instrument.ChatDuration); m.SetEmptySum() }),
		"a gauge":         message(t, func(m pmetric.Metric) { m.SetName("x"); m.SetEmptyGauge() }),
		"a fraction":      message(t, sum(func(s pmetric.Sum) { s.DataPoints().AppendEmpty().SetDoubleValue(1.5) })),
		"a negative":      message(t, sum(func(s pmetric.Sum) { s.DataPoints().AppendEmpty().SetIntValue(-1) })),
		"missing buckets": message(t, chatHistogram([]float64{1, 2}, []uint64{1, 1}, 2, 1)),
		"wrong count":     message(t, chatHistogram([]float64{1}, []uint64{1, 1}, 3, 1)),
		"no sum":          message(t, chatHistogram([]float64{1}, []uint64{1, 1}, 2, math.NaN())),
		"falling bounds":  message(t, chatHistogram([]float64{2, 1}, []uint64{1, 1, 0}, 2, 1)),
	}
	l := begin(t, snapshot.Options{})
	l.Late(2)
	l = l.reincarnate(t)
	before := rows(t, l.reader)
	for name, data := range bad {
		if err := l.reader.Restore(data); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if diff := cmp.Diff(before, rows(t, l.reader)); diff != "" {
		t.Error(diff)
	}
}

func FuzzRestore(f *testing.F) {
	l := begin(f, snapshot.Options{})
	playGuide(l, 0, 10)
	totals, err := l.reader.Totals(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(totals)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		l := begin(t, snapshot.Options{})
		if l.reader.Restore(data) != nil {
			return
		}
		// What is taken can be read, checkpointed and taken again.
		l.tally(t, "")
		again, err := l.reader.Totals(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.reader.Restore(again); err != nil {
			t.Fatal(err)
		}
	})
}
