package history

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
)

// Every chart is PromQL that can be evaluated, whatever it is narrowed to.
func TestChartsParse(t *testing.T) {
	for _, c := range Charts() {
		if c.Unit == "" || c.About == "" {
			t.Errorf("%s lacks a unit or words", c.Name)
		}
		for _, sel := range []selection{
			{window: time.Minute},
			{window: time.Hour, service: "a\"\n\\{}", by: []string{labelService}},
			{window: time.Hour, service: "a", model: "m", by: []string{labelService, labelModel}},
		} {
			if _, err := Parser().ParseExpr(c.expr(sel)); err != nil {
				t.Errorf("%s: %s: %v", c.Name, c.expr(sel), err)
			}
		}
	}
}

// charted is a history of an hour of two services. Chats come evenly, so that rates
// are exact.
func charted(t *testing.T) (*Store, time.Time) {
	end := noon.Add(time.Hour)
	s := open(t, Options{Now: func() time.Time { return end }})
	a := newApp()
	good, bad := a.duration.WithLabelValues("success", "none", "app"), a.duration.WithLabelValues(telemetry.Failed.String(), "none", "app")
	other := a.duration.WithLabelValues("success", "empty", "other")
	for at := noon; !at.After(end); at = at.Add(15 * time.Second) {
		if at.After(noon) {
			for range 3 {
				good.Observe(1)
				bad.Observe(1)
			}
			other.Observe(3)
		}
		s.mustSample(t, at, a.families(t), false)
	}
	return s, end
}

func TestChart(t *testing.T) {
	s, _ := charted(t)
	for _, c := range []struct {
		q    ChartQuery
		want float64
	}{
		{ChartQuery{Metric: "requests"}, 28},
		{ChartQuery{Metric: "requests", Service: "app"}, 24},
		{ChartQuery{Metric: "errors"}, 12},
		{ChartQuery{Metric: "errors", Service: "other"}, 0},
		{ChartQuery{Metric: "error_rate", Service: "app"}, 50},
		{ChartQuery{Metric: "latency_avg", Service: "app"}, 1000},
		{ChartQuery{Metric: "latency_p50", Service: "app"}, 750},
		{ChartQuery{Metric: "rag_success_rate", Service: "other"}, 0},
	} {
		c.q.Range, c.q.Step = 30*time.Minute, 10*time.Minute
		d, err := s.Chart(t.Context(), c.q)
		if err != nil {
			t.Errorf("%+v: %v", c.q, err)
			continue
		}
		if len(d.Series) != 1 || len(d.Series[0].Values) != 4 {
			t.Errorf("%+v: %+v", c.q, d)
			continue
		}
		for _, v := range d.Series[0].Values {
			if v == nil {
				t.Errorf("%+v: a value is missing", c.q)
			} else if *v < c.want-1e-6 || *v > c.want+1e-6 {
				t.Errorf("%+v: got %v, want %v", c.q, d.Series[0], c.want)
			}
		}
	}
	d, err := s.Chart(t.Context(), ChartQuery{Metric: "requests", Range: time.Hour, By: []string{"service"}})
	if err != nil {
		t.Fatal(err)
	}
	var services []string
	for _, x := range d.Series {
		services = append(services, *x.Service)
	}
	if diff := cmp.Diff([]string{"app", "other"}, services); diff != "" || d.StepSeconds != 15 || d.Start != "2026-01-05T12:00:00Z" || d.End != "2026-01-05T13:00:00Z" {
		t.Errorf("%s %v %v %v", diff, d.StepSeconds, d.Start, d.End)
	}
	// Before anything was sampled there is nothing, and not zero.
	if d, err = s.Chart(t.Context(), ChartQuery{Metric: "requests", Range: 2 * time.Hour, Step: time.Hour}); err != nil || d.Series[0].Values[0] != nil {
		t.Errorf("two hours: %+v %v", d, err)
	}
}

func TestChartRefuses(t *testing.T) {
	s, _ := charted(t)
	for want, q := range map[string]ChartQuery{
		"metric is one of requests, errors": {Metric: "speed", Range: time.Hour},
		"range is a duration":               {Metric: "requests", Range: time.Second},
		"step is a duration":                {Metric: "requests", Range: 24 * time.Hour, Step: time.Second},
		"by is service, model, data_source": {Metric: "requests", Range: time.Hour, By: []string{"user"}},
		"requests is not measured by model": {Metric: "requests", Range: time.Hour, Model: "m"},
		"requests is not measured by sink":  {Metric: "requests", Range: time.Hour, By: []string{"sink"}},
	} {
		_, err := s.Chart(t.Context(), q)
		if telemetry.KindOf(err) != telemetry.Unprocessable || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", q, err, want)
		}
	}
}

// A query that holds too much, or takes too long, ends, and the next one works.
func TestQueriesAreBounded(t *testing.T) {
	end := noon.Add(time.Hour)
	s := open(t, Options{MaxSamples: 100})
	a := newApp()
	for at := noon; !at.After(end); at = at.Add(15 * time.Second) {
		s.mustSample(t, at, a.families(t), false)
	}
	if _, err := s.Query(t.Context(), "process_memory_usage_bytes[1h]", end); err == nil || !strings.Contains(err.Error(), "too many samples") {
		t.Errorf("got %v", err)
	}
	s.want(t, end, "up", 1)
	// A turn that does not come ends with its caller.
	var release []func()
	for range cap(s.turns) {
		r, err := s.Turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		release = append(release, r)
	}
	if _, err := s.Chart(canceled(t), ChartQuery{Metric: "requests", Range: time.Hour}); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("got %v", err)
	}
	for _, r := range release {
		r()
	}
}
