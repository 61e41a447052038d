package snapshot_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// awkward is an event whose numbers have no exact sum.
func awkward(rt *rapid.T) func(telemetry.Recorder) {
	origin := telemetry.Origin{Service: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "service")}
	took := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(rt, "took"))
	near := rapid.Float64Range(0, 1).Draw(rt, "near")
	if rapid.Bool().Draw(rt, "search") {
		return func(r telemetry.Recorder) {
			r.Retrieval(&telemetry.Retrieval{
				Origin: origin, Duration: took, Result: telemetry.Found, Documents: 1,
				Scored: true, MeanSimilarity: near, TopSimilarity: near,
			})
		}
	}
	return func(r telemetry.Recorder) { r.Chat(&telemetry.Chat{Origin: origin, Duration: took}) }
}

// Whatever is recorded, wherever a process is killed and whichever checkpoint the next
// one replays from, every sum is to the last bit what was shown before: one that is a
// digit smaller looks to a scraper like a counter that began again.
func TestSumsAreTheSameToTheLastBitAfterAReplay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole, parts := begin(t, snapshot.Options{}), begin(t, snapshot.Options{})
		var events, sinceCheckpoint []func(telemetry.Recorder)
		totals, admitted := checkpointed(t, parts)
		for range rapid.IntRange(1, 60).Draw(rt, "events") {
			event := awkward(rt)
			events = append(events, event)
			event(whole)
			event(parts)
			sinceCheckpoint = append(sinceCheckpoint, event)
			switch rapid.IntRange(0, 7).Draw(rt, "then") {
			case 0:
				totals, admitted = checkpointed(t, parts)
				sinceCheckpoint = nil
			case 1: // killed, restored, replayed
				parts = begin(t, snapshot.Options{})
				if err := parts.reader.Restore(totals); err != nil {
					rt.Fatal(err)
				}
				if err := parts.UnmarshalBinary(admitted); err != nil {
					rt.Fatal(err)
				}
				for _, again := range sinceCheckpoint {
					again(parts)
				}
			}
			if diff := cmp.Diff(rows(t, whole.reader), rows(t, parts.reader), cmp.Comparer(sameBits)); diff != "" {
				rt.Fatalf("after %d events (-one life +several):\n%s", len(events), diff)
			}
		}
	})
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func checkpointed(t *testing.T, l life) (totals, admitted []byte) {
	t.Helper()
	totals, err := l.reader.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if admitted, err = l.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	return totals, append([]byte(nil), admitted...)
}

// Totals that are taken over late, and taken over again, replace those before.
func TestRestoredSumsReplaceThoseBefore(t *testing.T) {
	l := begin(t, snapshot.Options{})
	l.Chat(&telemetry.Chat{Origin: telemetry.Origin{Service: "a"}, Duration: 3 * time.Second})
	totals, _ := checkpointed(t, l)
	for _, want := range []float64{6, 6} {
		if err := l.reader.Restore(totals); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, l.reader)[0]; got.Sum != want || got.Count != 2 {
			t.Errorf("three seconds twice: %+v", got)
		}
	}
	empty, _ := checkpointed(t, begin(t, snapshot.Options{}))
	if err := l.reader.Restore(empty); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, l.reader)[0]; got.Sum != 3 || got.Count != 1 {
		t.Errorf("three seconds once: %+v", got)
	}
}
