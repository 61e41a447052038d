package snapshot_test

import (
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// exposedSamples gives the samples of families, spelled as a database keeps them.
func exposedSamples(families []*dto.MetricFamily) iter.Seq[snapshot.ExposedSample] {
	return func(yield func(snapshot.ExposedSample) bool) {
		for _, f := range families {
			for _, m := range f.GetMetric() {
				labels := map[string]string{}
				for _, p := range m.GetLabel() {
					labels[p.GetName()] = p.GetValue()
				}
				give := func(name, le string, v float64) bool {
					return yield(snapshot.ExposedSample{Name: f.GetName() + name, Value: v, Label: func(label string) string {
						if label == "le" {
							return le
						}
						return labels[label]
					}})
				}
				if m.Counter != nil && !give("", "", m.Counter.GetValue()) {
					return
				}
				if h := m.Histogram; h != nil {
					for _, b := range h.GetBucket() {
						if !give("_bucket", strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64), float64(b.GetCumulativeCount())) {
							return
						}
					}
					if !give("_bucket", "+Inf", float64(h.GetSampleCount())) || !give("_sum", "", h.GetSampleSum()) || !give("_count", "", float64(h.GetSampleCount())) {
						return
					}
				}
			}
		}
	}
}

func past(t *testing.T, l life) *snapshot.Snapshot {
	t.Helper()
	l.reader.Invalidate()
	e, err := snapshot.NewExposition(l.reader, snapshot.ExpositionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	families, err := e.Families(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exposed, err := snapshot.NewExposed()
	if err != nil {
		t.Fatal(err)
	}
	return exposed.Totals(exposedSamples(families))
}

func present(t *testing.T, l life) *snapshot.Snapshot {
	t.Helper()
	l.reader.Invalidate()
	s, err := l.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shown gives a document as it is answered, rounded.
func shown(t *testing.T, document any) string {
	t.Helper()
	text, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var modelsQuery = snapshot.ModelsQuery{Currency: "USD", UnitsPerUSD: 1}

// What was exposed reads back as the totals that it was made of, in both documents
// and for every model.
func TestExposedReadsBack(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playGuide(l, 0, 100)
	playMore(l)
	was, now := past(t, l), present(t, l)
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) })
	if diff := cmp.Diff(now.Tally(""), was.Tally(""), near); diff != "" {
		t.Errorf("totals (-now +read back):\n%s", diff)
	}
	at := time.Unix(1, 0)
	if diff := cmp.Diff(shown(t, now.Models(modelsQuery, at)), shown(t, was.Models(modelsQuery, at))); diff != "" {
		t.Errorf("models (-now +read back):\n%s", diff)
	}
	if got := now.Since(was).Tally(""); got != (snapshot.Tally{}) {
		t.Errorf("since now: %+v", got)
	}
}

// playMore records what has a price.
func playMore(r telemetry.Recorder) {
	r.LLMCall(&telemetry.LLMCall{ModelCall: telemetry.ModelCall{
		Origin: telemetry.Origin{Service: "other"}, Duration: time.Second, Provider: "zhipuai", RequestModel: "glm-4.7", ResponseModel: "glm-4.7",
		Tokens: telemetry.Tokens{Input: 10, Output: 4, Reasoning: 3}, HasUsage: true, CostNanoUSD: 123_456_789, CostSource: telemetry.BookCost,
	}, Stream: telemetry.StreamCompleted, TimeToFirstToken: 80 * time.Millisecond})
}

// What is counted after a past is the same as if nothing had been counted before it.
func TestSince(t *testing.T) {
	l, second := begin(t, snapshot.Options{}), begin(t, snapshot.Options{})
	playGuide(l, 0, 40)
	was := past(t, l)
	playGuide(l, 40, 100)
	playMore(l)
	playGuide(second, 40, 100)
	playMore(second)
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) })
	got, want := present(t, l).Since(was), present(t, second)
	for _, service := range []string{"", "treq-backend", "other", "nobody"} {
		if diff := cmp.Diff(want.Tally(service), got.Tally(service), near); diff != "" {
			t.Errorf("%q (-alone +since):\n%s", service, diff)
		}
	}
	at := time.Unix(1, 0)
	if diff := cmp.Diff(shown(t, want.Models(modelsQuery, at)), shown(t, got.Models(modelsQuery, at))); diff != "" {
		t.Errorf("models (-alone +since):\n%s", diff)
	}
}

// A total that is smaller than it was makes no negative document.
func TestSinceOfMoreIsNothing(t *testing.T) {
	l, less := begin(t, snapshot.Options{}), begin(t, snapshot.Options{})
	playGuide(l, 0, 100)
	playGuide(less, 0, 10)
	if got := present(t, less).Since(past(t, l)).Tally(""); got != (snapshot.Tally{}) {
		t.Errorf("since more: %+v", got)
	}
}

// Totals that were taken over keep their beginning.
func TestCountedSince(t *testing.T) {
	l := begin(t, snapshot.Options{})
	if !present(t, l).CountedSince().IsZero() || l.reader.Restored() {
		t.Error("nothing was counted, and it began")
	}
	playGuide(l, 0, 10)
	began := present(t, l).CountedSince()
	next := l.reincarnate(t)
	if got := present(t, next).CountedSince(); !got.Equal(began) || !next.reader.Restored() {
		t.Errorf("the next life began at %v, want %v", got, began)
	}
}
