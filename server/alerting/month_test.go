package alerting

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMonth runs a month: an alert fires for two hours every day, the process is
// restarted every night and now and then while it fires. Each firing is told once,
// with its end, and what is kept of them stays small.
func TestMonth(t *testing.T) {
	w := newWorld(t, memoryOnly)
	w.doc.Targets = nil
	w.step = 4 * time.Minute
	w.restart()
	const days = 30
	for day := range days {
		w.run(10*time.Hour, memory(50))
		w.run(time.Hour, memory(150))
		if day%3 == 0 {
			w.restart()
		}
		w.run(time.Hour, memory(150))
		w.run(12*time.Hour, memory(50))
		w.restart()
	}
	firings := map[time.Time][]State{}
	for _, a := range w.told.told {
		firings[a.StartsAt] = append(firings[a.StartsAt], a.State)
	}
	if len(firings) != days {
		t.Errorf("%d firings were told, want %d", len(firings), days)
	}
	for at, states := range firings {
		if diff := cmp.Diff([]State{Firing, Resolved}, states); diff != "" {
			t.Errorf("the firing of %s was told (-want +got):\n%s", at, diff)
		}
	}
	if n := len(w.List().Resolved); n > 2 {
		t.Errorf("%d ended alerts are shown, want those of a day", n)
	}
	if info, err := os.Stat(filepath.Join(w.dir, "alerts")); err != nil || info.Size() > 10<<10 {
		t.Errorf("the state has %d bytes: %v", info.Size(), err)
	}
}

// BenchmarkEvaluate measures one round of the built-in objectives over a day of
// history with a hundred series of each kind.
func BenchmarkEvaluate(b *testing.B) {
	w := newWorld(b, "")
	series := map[string]float64{}
	for _, model := range []string{"a", "b", "c", "d"} {
		for _, service := range []string{"s1", "s2", "s3", "s4", "s5"} {
			for _, metric := range []string{"gen_ai_client_operation_duration_seconds_count", "gen_ai_client_operation_duration_seconds_sum", "treq_llm_tokens_total", "treq_llm_cost_USD_total"} {
				series[metric+`{gen_ai_response_model="`+model+`",service_name="`+service+`",treq_model_family="8b"}`] = 0
			}
			for _, le := range []string{"0.1", "1", "10", "+Inf"} {
				series[`treq_llm_time_to_first_token_seconds_bucket{gen_ai_response_model="`+model+`",service_name="`+service+`",le="`+le+`"}`] = 0
			}
			series[`treq_chat_duration_seconds_count{treq_outcome="`+model+`",service_name="`+service+`"}`] = 0
			series[`treq_retrieval_duration_seconds_count{treq_cache="`+model+`",service_name="`+service+`"}`] = 0
		}
	}
	step := func() map[string]float64 {
		for k := range series {
			series[k]++
		}
		return series
	}
	for at := begin.Add(-24 * time.Hour); at.Before(begin); at = at.Add(15 * time.Second) {
		w.store.put(b, at, step())
	}
	b.ResetTimer()
	for range b.N {
		// Four short rounds to one long: a minute.
		w.run(time.Minute, func(time.Time) map[string]float64 { return step() })
	}
}
