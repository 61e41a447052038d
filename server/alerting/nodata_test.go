package alerting

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestNoData takes the data away from alerts of every mode while they fire, and
// gives it back.
func TestNoData(t *testing.T) {
	w := newWorld(t, `
alerts:
  ends: {promql: sum by (host) (x), comparison: ">", threshold: 1, group_by: [host], summary: {en: ends}}
  keeps: {promql: sum by (host) (x), comparison: ">", threshold: 1, group_by: [host], no_data: keep, summary: {en: keeps}}
  tells: {promql: sum by (host) (x), comparison: ">", threshold: 1, group_by: [host], no_data: alert, summary: {en: tells}}
  few: {promql: sum(x), samples_promql: sum(n), min_samples: 10, comparison: ">", threshold: 1, no_data: alert, summary: {en: few}}
`)
	both := map[string]float64{`x{host="a"}`: 5, `x{host="b"}`: 0, "n": 20}
	w.run(time.Minute, always(both))
	expect := func(what string, want map[string][]State) {
		t.Helper()
		got := map[string][]State{}
		for rule := range want {
			got[rule] = w.told.states(rule)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s was told (-want +got):\n%s", what, diff)
		}
	}
	expect("with data", map[string][]State{"ends": {Firing}, "keeps": {Firing}, "tells": {Firing}, "few": {Firing}, "tells_no_data": nil, "few_no_data": nil})
	// Gone is what is not there for the five minutes that a value holds.
	w.run(10*time.Minute, always(map[string]float64{`x{host="b"}`: 0, "n": 3}))
	expect("without", map[string][]State{
		"ends": {Firing, Resolved}, "keeps": {Firing}, "tells": {Firing, Resolved}, "few": {Firing, Resolved},
		"tells_no_data": {Firing}, "few_no_data": {Firing},
	})
	for _, a := range w.told.told {
		if a.Rule == "tells_no_data" && (a.Labels["host"] != "a" || a.Text(Portuguese).Summary != "Sem dados para tells") {
			t.Errorf("no data is told as %+v", a)
		}
	}
	w.run(time.Minute, always(both))
	expect("with data again", map[string][]State{
		"ends": {Firing, Resolved, Firing}, "keeps": {Firing}, "tells": {Firing, Resolved, Firing}, "few": {Firing, Resolved, Firing},
		"tells_no_data": {Firing, Resolved}, "few_no_data": {Firing, Resolved},
	})
	w.run(time.Minute, always(map[string]float64{`x{host="a"}`: 0, `x{host="b"}`: 0, "n": 20}))
	expect("when all is well", map[string][]State{"keeps": {Firing, Resolved}})
}

// TestScorecard reads the targets with and without data.
func TestScorecard(t *testing.T) {
	w := newWorld(t, "targets: {error_rate: {min_samples: 5}}")
	status := func(name string) KPI {
		t.Helper()
		card, err := w.Scorecard(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range card.KPIs {
			if k.Name == name {
				return k
			}
		}
		t.Fatalf("%s is not on the scorecard", name)
		return KPI{}
	}
	chats := func(good, bad float64) map[string]float64 {
		return map[string]float64{
			`treq_chat_duration_seconds_count{service_name="s",treq_outcome="success",treq_rag="found"}`: good,
			`treq_chat_duration_seconds_count{service_name="s",treq_outcome="failure",treq_rag="found"}`: bad,
			`treq_chat_duration_seconds_sum{service_name="s",treq_outcome="success",treq_rag="found"}`:   good * 0.5,
		}
	}
	w.run(w.step, always(chats(0, 0)))
	if k := status("error_rate"); k.Status != NoData || k.Value != nil || k.Samples == nil || *k.Samples != 0 {
		t.Errorf("without chats: %+v", k)
	}
	w.run(2*time.Minute, always(chats(3, 1)))
	if k := status("error_rate"); k.Status != NoData || *k.Samples != 4 {
		t.Errorf("with four chats of five: %+v", k)
	}
	w.run(2*time.Minute, always(chats(99, 1)))
	if k := status("error_rate"); k.Status != Met || *k.Value != 0.01 || *k.Samples != 100 {
		t.Errorf("with one failure in a hundred: %+v", k)
	}
	if k := status("response_time"); k.Status != Met || *k.Value != 495 {
		t.Errorf("the response time: %+v", k)
	}
	if k := status("cache_hits"); k.Status != NoData {
		t.Errorf("without searches: %+v", k)
	}
	w.run(2*time.Minute, always(chats(90, 10)))
	if k := status("error_rate"); k.Status != Missed {
		t.Errorf("with ten failures in a hundred: %+v", k)
	}
}
