package alerting

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/objective"
)

// TestRehearse asks of a stored day what would have fired.
func TestRehearse(t *testing.T) {
	past := openDatabase(t, filepath.Join(t.TempDir(), "past"))
	// Two hours too high, with a moment of relief in the middle, and an hour of flapping.
	mb := func(since time.Duration) float64 {
		switch {
		case since >= 2*time.Hour && since < 4*time.Hour && since.Truncate(time.Minute) != 3*time.Hour:
			return 150
		case since >= 6*time.Hour && since < 7*time.Hour && int(since/time.Minute)%2 == 0:
			return 110
		}
		return 50
	}
	for since := time.Duration(0); since <= 8*time.Hour; since += time.Minute {
		past.put(t, begin.Add(since), map[string]float64{
			"process_memory_usage_bytes": mb(since) * 1048576,
			// What the process recorded itself is not looked at.
			`treq_service:memory_mb{service_name="treq-telemetry"}`: 5000,
		})
	}
	doc, err := objective.Load("test.yaml", []byte(memoryOnly))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Rehearse(t.Context(), Rehearsal{
		Objectives: doc, Stored: past.Queryable(), From: begin, To: begin.Add(8 * time.Hour), Interval: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	for _, e := range report.Episodes {
		got = append(got, [2]string{e.From.Sub(begin).String(), e.Until.Sub(begin).String()})
	}
	if diff := cmp.Diff([][2]string{{"2h1m0s", "4h2m0s"}}, got); diff != "" {
		t.Errorf("would have fired (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"high_memory": 32}, report.Crossings); diff != "" {
		t.Errorf("crossings (-want +got):\n%s", diff)
	}
	if len(report.Failing) > 0 {
		t.Errorf("rules failed: %v", report.Failing)
	}
}
