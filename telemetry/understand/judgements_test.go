package understand

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry"
)

// What was counted less what was replaced is what holds: the last of every run, key
// and source, whatever is said, changed, withdrawn and said again, and over a restart.
func TestWhatHoldsIsWhatWasCountedLessWhatWasReplaced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var j judgements
		counted, holds := map[telemetry.Verdict]int{}, map[string]telemetry.Verdict{}
		for range rapid.IntRange(0, 60).Draw(t, "judgements") {
			f := telemetry.Feedback{Key: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"), Source: "api"}
			name := fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "run"))
			if rapid.Bool().Draw(t, "of a run") {
				f.RunID = name
			} else {
				f.ID = "judgement " + name
			}
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				f.Withdrawn = true
			case 1: // without a score
			default:
				f.Scored, f.Score = true, rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "score")
			}
			slot, said := f.RunID+f.ID+f.Key, telemetry.Verdict{Scored: f.Scored, Score: f.Score}
			if j.isNew(&f) {
				if f.Replaces != nil {
					counted[*f.Replaces]--
				}
				if !f.Withdrawn {
					counted[said]++
				}
			}
			if holds[slot] = said; f.Withdrawn {
				delete(holds, slot)
			}
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				var again judgements
				for _, key := range j.queue {
					again.set(key, j.scores[key], true)
				}
				j = again
			}
		}
		want := map[telemetry.Verdict]int{}
		for _, v := range holds {
			want[v]++
		}
		for v, n := range counted {
			if n == 0 {
				delete(counted, v)
			}
		}
		if diff := cmp.Diff(want, counted); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
