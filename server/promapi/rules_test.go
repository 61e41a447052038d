package promapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"treq/server/history"
	"treq/server/promapi"
)

// evaluated are rules that Prometheus's own engine evaluated over the history.
type evaluated []*rules.Group

func (e evaluated) RuleGroups() []*rules.Group { return e }

func evaluate(t *testing.T, s *history.Store) evaluated {
	t.Helper()
	expr := func(text string) rules.Rule {
		parsed, err := history.Parser().ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		return rules.NewRecordingRule("job:chats:sum", parsed, labels.FromStrings("team", "x"))
	}
	parsed, err := history.Parser().ParseExpr("memory_bytes > 1e9")
	if err != nil {
		t.Fatal(err)
	}
	alert := rules.NewAlertingRule("Memory", parsed, 0, time.Minute, labels.FromStrings("severity", "critical"), labels.FromStrings("summary", "much"), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	group := rules.NewGroup(rules.GroupOptions{
		Name: "kpis", File: "objectives", Interval: 15 * time.Second, Rules: []rules.Rule{expr("sum by (job) (chats_total)"), alert},
		Opts: &rules.ManagerOptions{
			QueryFunc: s.QueryVector, Queryable: s.Queryable(), Appendable: s.Appendable(), Context: t.Context(), Logger: slog.New(slog.DiscardHandler),
			NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Metrics: rules.NewGroupMetrics(nil), NameValidationScheme: model.UTF8Validation,
		},
	})
	group.Eval(t.Context(), end)
	return evaluated{group}
}

func TestRules(t *testing.T) {
	store := filled(t, history.Options{})
	c := clientOf(t, serve(t, promapi.Options{Store: store, Rules: evaluate(t, store)}))
	got, err := c.Rules(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, g := range got.Groups {
		for _, r := range g.Rules {
			shown = append(shown, fmt.Sprintf("%s %s %v %T", g.Name, g.File, g.Interval, r))
		}
	}
	want := []string{"kpis objectives 15 v1.RecordingRule", "kpis objectives 15 v1.AlertingRule"}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	alerts, err := c.Alerts(t.Context())
	if err != nil || len(alerts.Alerts) != 1 || alerts.Alerts[0].State != "firing" || alerts.Alerts[0].Labels["severity"] != "critical" || alerts.Alerts[0].Value != "1.5e+09" {
		t.Errorf("alerts %+v %v", alerts, err)
	}
	// What a rule records is there for the next question.
	v, _, _, err := c.Query(t.Context(), "job:chats:sum", end)
	if err != nil || v.String() != `job:chats:sum{job="treq-telemetry", team="x"} => 82 @[1767615000]` {
		t.Errorf("recorded %v %v", v, err)
	}
	for query, count := range map[string]int{"?type=alert": 1, "?type=record": 1, "?rule_name[]=Memory": 1, "?rule_group[]=x": 0, "?file[]=objectives": 2} {
		body := get(t, serve(t, promapi.Options{Store: store, Rules: evaluate(t, store)})+"/api/v1/rules"+query)
		if got := strings.Count(body, `"health":`); got != count {
			t.Errorf("%s: %d rules, want %d: %s", query, got, count, body)
		}
	}
}
