package alerting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"treq/telemetry"
	"treq/telemetry/objective"
)

// memoryOnly switches every built-in alert off but the one on memory, and lets it
// fire at 100 MB and end below 90.
const memoryOnly = `
alerts:
  error_rate: {enabled: false}
  low_similarity: {enabled: false}
  llm_latency: {enabled: false}
  high_memory: {threshold: 100, recovery: 90, for: 1m, keep_firing_for: 2m}
  daily_cost: {enabled: false}
  unpriced_tokens: {enabled: false}
  no_results: {enabled: false}
  slow_first_token: {enabled: false}
  sink_lag: {enabled: false}
  sink_expiry: {enabled: false}
  journal_nearly_full: {enabled: false}
  lost_data: {enabled: false}
  slo_burn_fast: {enabled: false}
  slo_burn_slow: {enabled: false}
`

func memory(mb float64) func(time.Time) map[string]float64 {
	return always(map[string]float64{"process_memory_usage_bytes": mb * 1048576})
}

// TestLife follows one alert from nothing to its end.
func TestLife(t *testing.T) {
	w := newWorld(t, memoryOnly)
	stateOf := func() State {
		for _, s := range w.List().Alerts {
			if s.Name == "high_memory" {
				return s.State
			}
		}
		t.Fatal("the rule is not listed")
		return ""
	}
	expect := func(state State, told ...State) {
		t.Helper()
		if got := stateOf(); got != state {
			t.Errorf("at %s the rule is %s, want %s", w.now.Sub(begin), got, state)
		}
		if diff := cmp.Diff(told, w.told.states("high_memory")); diff != "" {
			t.Errorf("at %s was told (-want +got):\n%s", w.now.Sub(begin), diff)
		}
	}
	w.run(time.Minute, memory(50))
	expect(Inactive)
	w.run(time.Minute, memory(150))
	expect(Pending)
	w.run(30*time.Second, memory(150))
	expect(Firing, Firing)
	if n := w.firingSeries("high_memory"); n != 1 {
		t.Errorf("the history has %d series of the alert", n)
	}
	if got := w.told.told[0]; got.Text(Portuguese).Summary != "Uso de memória acima de 100MB" ||
		got.Text(English).Description != "treq-telemetry holds 150 MB." || got.Value != 150 || got.Severity != Warning {
		t.Errorf("the alert says %+v", got)
	}
	w.run(10*time.Minute, memory(95)) // below the threshold, above the recovery
	expect(Firing, Firing)
	w.run(time.Minute, memory(80))
	expect(Firing, Firing)
	w.run(90*time.Second, memory(80))
	expect(Inactive, Firing, Resolved)
	w.run(10*time.Minute, memory(95))
	expect(Inactive, Firing, Resolved)
	if got := w.List().Resolved; len(got) != 1 || got[0].Until == nil || !got[0].Notified {
		t.Errorf("what ended is shown as %+v", got)
	}
	first, second := w.told.told[0], w.told.told[1]
	if first.Fingerprint != second.Fingerprint || !first.StartsAt.Equal(second.StartsAt) || !second.EndsAt.After(second.StartsAt) {
		t.Errorf("the end %+v does not belong to the beginning %+v", second, first)
	}
}

// TestFlapping lets a value cross the threshold at every evaluation for an hour.
func TestFlapping(t *testing.T) {
	for name, file := range map[string]string{
		"the built-in band": "",
		"no band at all":    "alerts: {high_memory: {recovery: 4000}}",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, file)
			high := false
			flap := func(time.Time) map[string]float64 {
				high = !high
				mb := 3500.0
				if high {
					mb = 4500
				}
				return map[string]float64{`reported_process_memory_usage_bytes{service_name="backend"}`: mb * 1048576}
			}
			// What is true for a moment only never fires: an alert that does is steady first.
			w.run(3*time.Minute, always(map[string]float64{`reported_process_memory_usage_bytes{service_name="backend"}`: 4500 * 1048576}))
			w.run(time.Hour, flap)
			w.run(10*time.Minute, always(map[string]float64{`reported_process_memory_usage_bytes{service_name="backend"}`: 100 * 1048576}))
			if diff := cmp.Diff([]State{Firing, Resolved}, w.told.states("high_memory")); diff != "" {
				t.Errorf("told in an hour of flapping (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRestart restarts while an alert fires, in every situation it can be in.
func TestRestart(t *testing.T) {
	fire := func(t *testing.T) *world {
		w := newWorld(t, memoryOnly)
		w.run(2*time.Minute, memory(150))
		if diff := cmp.Diff([]State{Firing}, w.told.states("high_memory")); diff != "" {
			t.Fatal(diff)
		}
		return w
	}
	for _, c := range []struct {
		name string
		down time.Duration
		mb   float64
		then time.Duration
		want []State
	}{
		{"still true", time.Minute, 150, 10 * time.Minute, []State{Firing}},
		{"still true after hours", 5 * time.Hour, 150, 10 * time.Minute, []State{Firing}},
		{"within the band", time.Minute, 95, 10 * time.Minute, []State{Firing}},
		{"within the band after hours", 5 * time.Hour, 95, 10 * time.Minute, []State{Firing}},
		{"over, and kept for a while", 15 * time.Second, 50, 75 * time.Second, []State{Firing}},
		{"over", 15 * time.Second, 50, 3 * time.Minute, []State{Firing, Resolved}},
		{"over for hours", 5 * time.Hour, 50, time.Minute, []State{Firing, Resolved}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := fire(t)
			started := w.told.told[0].StartsAt
			w.restart()
			w.now = w.now.Add(c.down)
			w.run(c.then, memory(c.mb))
			if diff := cmp.Diff(c.want, w.told.states("high_memory")); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			for _, a := range w.told.told {
				if !a.StartsAt.Equal(started) {
					t.Errorf("%s began at %s, and the firing at %s", a.State, a.StartsAt, started)
				}
			}
			if fires := c.want[len(c.want)-1] == Firing; fires != (w.firingSeries("high_memory") == 1) {
				t.Errorf("the history has %d series of the alert", w.firingSeries("high_memory"))
			}
			if got := w.Critical(); len(got) != 0 {
				t.Errorf("a warning is shown as critical: %q", got)
			}
		})
	}
}

// TestEveryRestart restarts before every evaluation: the engine never remembers
// anything by itself.
func TestEveryRestart(t *testing.T) {
	w := newWorld(t, memoryOnly)
	for _, mb := range []float64{150, 150, 150, 150, 150, 150, 95, 95, 95, 95, 150, 95, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50} {
		w.restart()
		w.run(w.step, memory(mb))
	}
	if diff := cmp.Diff([]State{Firing, Resolved}, w.told.states("high_memory")); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestOwed lets the notifier refuse: nothing is lost, over a crash either.
func TestOwed(t *testing.T) {
	w := newWorld(t, memoryOnly)
	w.told.err = errors.New("disk full")
	w.run(2*time.Minute, memory(150))
	if got := w.List().Alerts[0].Instances; len(got) != 1 || got[0].Notified {
		t.Errorf("an alert that nobody took over is shown as %+v", got)
	}
	w.restart()
	w.run(time.Minute, memory(150))
	w.told.err = nil
	w.run(w.step, memory(150))
	if diff := cmp.Diff([]State{Firing}, w.told.states("high_memory")); diff != "" {
		t.Fatalf("told (-want +got):\n%s", diff)
	}
	w.told.err = errors.New("disk full")
	w.run(5*time.Minute, memory(50))
	w.restart()
	w.told.err = nil
	w.run(w.step, memory(50))
	if diff := cmp.Diff([]State{Firing, Resolved}, w.told.states("high_memory")); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestReplace changes the objectives while alerts fire.
func TestReplace(t *testing.T) {
	w := newWorld(t, memoryOnly)
	w.run(2*time.Minute, memory(150))
	load := func(file string) *objective.Document {
		d, err := objective.Load("new.yaml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	changed := load(memoryOnly + "  low_memory: {metric: memory_mb, comparison: \"<\", threshold: 200, summary: {en: low}, group_by: [service]}\n")
	if err := w.Replace(changed); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute, memory(150))
	if diff := cmp.Diff([]State{Firing}, w.told.states("high_memory")); diff != "" {
		t.Errorf("an alert that stayed was told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]State{Firing}, w.told.states("low_memory")); diff != "" {
		t.Errorf("a new alert was told (-want +got):\n%s", diff)
	}
	if err := w.Replace(load("alerts: {high_memory: {enabled: false}}")); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute, memory(150))
	if diff := cmp.Diff([]State{Firing, Resolved}, w.told.states("high_memory")); diff != "" {
		t.Errorf("an alert that is gone was told (-want +got):\n%s", diff)
	}
}

// TestDamagedState begins anew where the state cannot be read, and keeps what it was.
func TestDamagedState(t *testing.T) {
	w := newWorld(t, memoryOnly)
	w.run(2*time.Minute, memory(150))
	path := filepath.Join(w.dir, "alerts")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"flipped": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"empty":   func([]byte) []byte { return nil },
	} {
		if err := os.WriteFile(path, damage(append([]byte(nil), content...)), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := stateFile{path}.load()
		if err == nil || len(r.firing) != 0 {
			t.Errorf("%s: %v, %d firing", name, err, len(r.firing))
		}
		if _, err := os.Stat(path + ".damaged"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStateOfANewerVersion is neither read nor set aside: a step back to an earlier
// program must not cost what the newer one knows.
func TestStateOfANewerVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts")
	text := []byte(`{"version":2,"firing":[],"ended":[]}`)
	content := fmt.Appendf(nil, "%08x %s", crc32.Checksum(text, castagnoli), text)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (stateFile{path}).load(); telemetry.KindOf(err) != telemetry.Unsupported {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, content) {
		t.Errorf("%s %v", left, err)
	}
}

// TestFailingRule keeps what fires while its rule cannot be evaluated.
func TestFailingRule(t *testing.T) {
	w := newWorld(t, memoryOnly+`  two: {promql: "sum by (a) (x) * on (a) group_right () y", comparison: ">", threshold: 1, summary: {en: two}, group_by: [a, b]}`)
	good := map[string]float64{`x{a="1"}`: 2, `y{a="1",b="1"}`: 3}
	w.run(time.Minute, always(good))
	if diff := cmp.Diff([]State{Firing}, w.told.states("two")); diff != "" {
		t.Fatal(diff)
	}
	// The alerting rule itself fails: two series of one alert.
	if err := w.Replace(w.doc); err != nil {
		t.Fatal(err)
	}
	w.store.put(t, w.now.Add(time.Second), map[string]float64{`treq:two:5m{a="1",b="1",c="1"}`: 5, `treq:two:5m{a="1",b="1",c="2"}`: 5})
	w.run(time.Minute, always(good))
	if got := w.told.states("two"); got[0] != Firing {
		t.Errorf("told %v", got)
	}
}

// TestHindrance tells of rules while what they ask is not answered, and no longer.
func TestHindrance(t *testing.T) {
	w := newWorld(t, memoryOnly)
	w.run(5*time.Minute, memory(50))
	if got := w.Hindrance(); got != "" {
		t.Errorf("nothing is wrong, and it says %q", got)
	}
	away := errors.New("no route to host")
	answer := rules.EngineQueryFunc(w.store.Engine(), w.store.Queryable())
	w.o.Source = func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if away != nil {
			return nil, away
		}
		return answer(ctx, expr, at)
	}
	if err := w.Replace(w.doc); err != nil {
		t.Fatal(err)
	}
	w.run(5*time.Minute, memory(50))
	if got := w.Hindrance(); !strings.HasPrefix(got, "alerting is hindered: rule ") || !strings.Contains(got, ": no route to host (and ") {
		t.Errorf("it says %q", got)
	}
	away = nil
	w.run(5*time.Minute, memory(50))
	if got := w.Hindrance(); got != "" {
		t.Errorf("it is answered again, and it says %q", got)
	}
}
