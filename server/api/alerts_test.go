package api

import (
	"context"
	"errors"
	"net/http"
	"testing"
)

type fakeObjectives struct{ err error }

func (o fakeObjectives) KPIs(context.Context) (any, error) { return []string{"scorecard"}, o.err }
func (o fakeObjectives) Alerts() any                       { return []string{"rules"} }

func TestObjectives(t *testing.T) {
	with := func(err error) func(*Options) {
		return func(o *Options) { o.Objectives = fakeObjectives{err} }
	}
	replaying := func(o *Options) { o.Meter = &fakeMeter{ready: errReplay} }
	for _, c := range []struct {
		path   string
		change []func(*Options)
		status int
		body   string
	}{
		{"/monitoring/kpis", []func(*Options){with(nil)}, http.StatusOK, `["scorecard"]`},
		{"/monitoring/alerts", []func(*Options){with(nil)}, http.StatusOK, `["rules"]`},
		{"/monitoring/kpis", []func(*Options){with(errors.New("disk"))}, http.StatusServiceUnavailable, ""},
		{"/monitoring/kpis", []func(*Options){with(nil), replaying}, http.StatusServiceUnavailable, ""},
		{"/monitoring/alerts", []func(*Options){with(nil), replaying}, http.StatusServiceUnavailable, ""},
		{"/monitoring/kpis", nil, http.StatusNotFound, ""},
		{"/monitoring/alerts", nil, http.StatusNotFound, ""},
	} {
		w := newFixture(t, c.change...).do(http.MethodGet, c.path, "")
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s: %d %s, want %d %s", c.path, w.Code, w.Body, c.status, c.body)
		}
	}
}

func TestHealth(t *testing.T) {
	const time = `"service":"treq-monitoring","timestamp":"2026-01-05T12:00:00"`
	says := func(reasons ...string) func(*Options) {
		return func(o *Options) {
			o.Health = func(_ context.Context, verbose bool) Health {
				h := Health{Reasons: reasons}
				if verbose {
					h.Telemetry = "quality"
				}
				return h
			}
		}
	}
	closed := func(o *Options) {
		o.Closed = true
		o.AuthorizeRead = func(h http.Header) (uint64, error) {
			if h.Get("Authorization") == "Bearer good" {
				return 1, nil
			}
			return 0, errToken
		}
	}
	for _, c := range []struct {
		path   string
		change []func(*Options)
		header string
		want   string
	}{
		{"/monitoring/health", nil, "", `{"status":"ok",` + time + `}`},
		{"/monitoring/health?verbose=1", nil, "", `{"status":"ok",` + time + `}`},
		{"/monitoring/health", []func(*Options){says()}, "", `{"status":"ok",` + time + `}`},
		{"/monitoring/health", []func(*Options){says("a sink")}, "", `{"status":"degraded",` + time + `}`},
		{"/monitoring/health?verbose=1", []func(*Options){says()}, "", `{"status":"ok",` + time + `,"reasons":[],"telemetry":"quality"}`},
		{"/monitoring/health?verbose=1", []func(*Options){says("a sink")}, "", `{"status":"degraded",` + time + `,"reasons":["a sink"],"telemetry":"quality"}`},
		{"/monitoring/health?verbose=1", []func(*Options){says("a sink"), closed}, "X: y", `{"status":"degraded",` + time + `}`},
		{"/monitoring/health?verbose=1", []func(*Options){says(), closed}, "Authorization: Bearer good", `{"status":"ok",` + time + `,"reasons":[],"telemetry":"quality"}`},
	} {
		headers := []string{}
		if c.header != "" {
			headers = append(headers, c.header)
		}
		w := newFixture(t, c.change...).do(http.MethodGet, c.path, "", headers...)
		if w.Code != http.StatusOK || w.Body.String() != c.want {
			t.Errorf("%s: %d %s, want %s", c.path, w.Code, w.Body, c.want)
		}
	}
}
