package server

import (
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"treq/server/alerting"
	"treq/server/config"
	"treq/server/history"
	"treq/server/promapi"
	"treq/telemetry"
	"treq/telemetry/objective"
)

// TestRehearseObjectives asks a directory and the server that holds it about failures
// which came at once, in a series that had not been there: both know that it began at
// zero a second earlier, between two evaluations. However far back one asks, nothing
// is evaluated of the time before there was a sample.
func TestRehearseObjectives(t *testing.T) {
	dir := t.TempDir()
	o := history.Options{Dir: filepath.Join(dir, "history"), Instance: "here", Step: time.Second}
	store, err := history.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	registry := prometheus.NewRegistry()
	chats := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "treq_chat_duration_seconds", Buckets: []float64{1}}, []string{"treq_outcome"})
	registry.MustRegister(chats)
	begin := time.Now().Add(-30 * time.Minute).Truncate(15 * time.Second).Add(7 * time.Second)
	chats.WithLabelValues("success").Observe(1)
	for at := begin; at.Before(begin.Add(15 * time.Minute)); at = at.Add(time.Second) {
		if at.Equal(begin.Add(time.Minute)) {
			for range 20 {
				chats.WithLabelValues("failure").Observe(1)
			}
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Sample(t.Context(), at, families, false); err != nil {
			t.Fatal(err)
		}
	}
	door := httptest.NewServer(promapi.New(promapi.Options{Store: store}))
	defer door.Close()

	doc := objective.Builtin()
	rehearse := func(url string, since time.Duration) []alerting.Episode {
		t.Helper()
		c := config.Defaults()
		c.DataDir, c.History.URL = dir, url
		report, err := RehearseObjectives(t.Context(), c, doc, since)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Failing) > 0 {
			t.Errorf("rules fail: %v", report.Failing)
		}
		return report.Episodes
	}
	here := rehearse("", time.Hour)
	var fired []string
	for _, e := range here {
		fired = append(fired, e.Rule)
	}
	if diff := cmp.Diff([]string{"slo_burn_fast", "error_rate"}, fired); diff != "" {
		t.Errorf("of the directory (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(here, rehearse(door.URL+"/prometheus", time.Hour)); diff != "" {
		t.Errorf("the server's differ from those of its directory (-directory +server):\n%s", diff)
	}
	if diff := cmp.Diff(here, rehearse("", 10_000*24*time.Hour)); diff != "" {
		t.Errorf("since ever (-hour +ever):\n%s", diff)
	}
	c := config.Defaults()
	c.DataDir = t.TempDir()
	if _, err := RehearseObjectives(t.Context(), c, doc, time.Hour); telemetry.KindOf(err) != telemetry.NotFound {
		t.Errorf("a directory without a history gave %v", err)
	}
}
