package mirror

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"treq/telemetry/judgement"
)

// crash ends the mirror and puts its state back to what was on disk before, as a kill
// leaves it.
func (h *house) crash() {
	h.t.Helper()
	path := filepath.Join(h.dir, "sinks", "sink.feedback.json")
	content, err := os.ReadFile(path)
	h.stop()
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

// TestWhateverHappensTheSinkHasTheLastVoteOfEach votes, changes votes, lets the sink
// fail and the process be killed: in the end the sink has one judgement of each run,
// the last.
func TestWhateverHappensTheSinkHasTheLastVoteOfEach(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		within(t, Sink{Words: LangSmith}, func(h *house) {
			h.backend.conflicts = rapid.Bool().Draw(rt, "conflicts")
			want, said := map[string]float64{}, map[string]judgement.Judgement{}
			faults := 0 // each may cost a probe's interval
			runs := []string{runA, runB, "00000000-0000-0000-b7ad-6b7169203331"}
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				switch rapid.IntRange(0, 9).Draw(rt, "step") {
				case 0:
					h.crash()
				case 1:
					h.backend.mu.Lock()
					h.backend.unknown[rapid.SampledFrom(runs).Draw(rt, "unknown")] = true
					h.backend.mu.Unlock()
				case 2:
					h.backend.know(rapid.SampledFrom(runs).Draw(rt, "known"))
				case 3, 4:
					if faults++; faults > 8 {
						break
					}
					h.backend.mu.Lock()
					h.backend.faults = append(h.backend.faults, fault{status: rapid.SampledFrom([]int{0, 401, 429, 500, 503}).Draw(rt, "status")})
					h.backend.mu.Unlock()
				case 6:
					// The last judgement of a run is withdrawn, if there is one.
					for _, run := range runs {
						if j, ok := said[run]; ok {
							j.Deleted = true
							h.judge(j)
							delete(said, run)
							delete(want, j.ID)
							break
						}
					}
				case 5:
					h.pass(time.Duration(rapid.IntRange(1, 400).Draw(rt, "seconds")) * time.Second)
				default:
					score := float64(rapid.IntRange(0, 1).Draw(rt, "score"))
					j := h.judge(thumb(rapid.SampledFrom(runs).Draw(rt, "run"), score))
					want[j.ID], said[j.RunID] = score, j
				}
			}
			for _, run := range runs {
				h.backend.know(run)
			}
			h.pass(90 * time.Minute)
			got := map[string]float64{}
			for id, body := range h.backend.has() {
				got[id], _ = body["score"].(float64)
			}
			if len(got) != len(want) {
				rt.Fatalf("the sink has %v, not %v", got, want)
			}
			for id, score := range want {
				if got[id] != score {
					rt.Fatalf("the sink has %v, not %v", got, want)
				}
			}
			if s := h.status(); s.Waiting != 0 || s.DeadLettered != 0 {
				rt.Fatalf("%+v", s)
			}
		})
	})
}
