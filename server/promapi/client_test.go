package promapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"treq/server/history"
	"treq/server/promapi"
)

// Prometheus's own client gets what it asks for, from this process or, through
// it, from another one.
func TestOfficialClient(t *testing.T) {
	near := serve(t, promapi.Options{Store: filled(t, history.Options{}), Version: "1.2.3"})
	far := filled(t, history.Options{Remote: history.RemoteOptions{URL: near}})
	for name, address := range map[string]string{"here": near, "through another": serve(t, promapi.Options{Store: far})} {
		t.Run(name, func(t *testing.T) { askEverything(t, clientOf(t, address)) })
	}
}

func askEverything(t *testing.T, c v1.API) {
	ctx := t.Context()
	check := func(what string, got any, err error, want string) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if diff := cmp.Diff(want, fmt.Sprint(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	v, _, _, err := c.Query(ctx, `chats_total{service="a"}`, end)
	check("query", v, err, `chats_total{instance="here", job="treq-telemetry", service="a"} => 41 @[1767615000]`)
	v, _, _, err = c.Query(ctx, `sum(rate(chats_total[5m]))*15`, end)
	check("rate", v, err, `{} => 2 @[1767615000]`)
	v, _, _, err = c.Query(ctx, `1/0`, end)
	check("scalar", v, err, `scalar: +Inf @[1767615000]`)
	v, _, _, err = c.Query(ctx, `chats_total{service="a"}[31s]`, end.Add(1500*time.Microsecond))
	check("matrix", v, err, "chats_total{instance=\"here\", job=\"treq-telemetry\", service=\"a\"} =>\n39 @[1767614970]\n40 @[1767614985]\n41 @[1767615000]")
	v, _, _, err = c.Query(ctx, `nothing`, end)
	check("nothing", v, err, ``)
	v, _, _, err = c.QueryRange(ctx, `chats_total{service="b"} / 4`, v1.Range{Start: end.Add(-30 * time.Second), End: end, Step: 15 * time.Second})
	check("range", v, err, "{instance=\"here\", job=\"treq-telemetry\", service=\"b\"} =>\n9.75 @[1767614970]\n10 @[1767614985]\n10.25 @[1767615000]")
	series, _, _, err := c.Series(ctx, []string{`chats_total{service="a"}`, `up`}, noon, end)
	check("series", series, err, `[{__name__="chats_total", instance="here", job="treq-telemetry", service="a"} {__name__="up", instance="here", job="treq-telemetry"}]`)
	names, _, _, err := c.LabelNames(ctx, nil, noon, end)
	check("labels", names, err, `__name__, instance, job, service`)
	names, _, _, err = c.LabelNames(ctx, []string{"up", "memory_bytes"}, noon, end)
	check("labels of", names, err, `__name__, instance, job`)
	values, _, _, err := c.LabelValues(ctx, "service", nil, noon, end)
	check("values", values, err, `[a b]`)
	values, _, _, err = c.LabelValues(ctx, "__name__", []string{`{job="treq-telemetry"}`}, time.Time{}, time.Time{})
	check("names", values, err, `[chats_total memory_bytes up]`)
	values, warnings, _, err := c.LabelValues(ctx, "__name__", nil, noon, end, v1.WithLimit(1))
	check("limited", fmt.Sprint(values, warnings), err, `[chats_total] [results truncated due to limit]`)
	metadata, err := c.Metadata(ctx, "memory_bytes", "")
	check("metadata", metadata, err, `map[memory_bytes:[{gauge Memory <of> "this". }]]`)
	if metadata, err = c.Metadata(ctx, "", ""); err != nil || len(metadata) != 2 {
		t.Errorf("metadata: %v %v", metadata, err)
	}
	// An example is of when it was given.
	examples, err := c.QueryExemplars(ctx, `rate(chats_total[5m])`, noon, time.Now().Add(time.Hour))
	if err != nil || len(examples) != 1 || len(examples[0].Exemplars) == 0 || examples[0].Exemplars[0].Labels["trace_id"] != "4bf92f3577b34da6a3ce929d0e0e4736" {
		t.Errorf("exemplars: %+v %v", examples, err)
	}
	rules, err := c.Rules(ctx, nil)
	check("rules", rules, err, `{[]}`)
	alerts, err := c.Alerts(ctx)
	check("alerts", alerts, err, `{[]}`)
	build, err := c.Buildinfo(ctx)
	check("buildinfo", build.Version, err, `3.15.0`)
}
