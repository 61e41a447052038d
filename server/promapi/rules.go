package promapi

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// alert is one of Prometheus's alerts.
type alert struct {
	Labels          labels.Labels `json:"labels"`
	Annotations     labels.Labels `json:"annotations"`
	State           string        `json:"state"`
	ActiveAt        *time.Time    `json:"activeAt,omitempty"`
	KeepFiringSince *time.Time    `json:"keepFiringSince,omitempty"`
	Value           string        `json:"value"`
}

type ruleGroup struct {
	Name           string    `json:"name"`
	File           string    `json:"file"`
	Rules          []any     `json:"rules"`
	Interval       float64   `json:"interval"`
	Limit          int       `json:"limit"`
	EvaluationTime float64   `json:"evaluationTime"`
	LastEvaluation time.Time `json:"lastEvaluation"`
}

// evaluated is what both kinds of rules have.
type evaluated struct {
	Health         rules.RuleHealth `json:"health"`
	LastError      string           `json:"lastError,omitempty"`
	EvaluationTime float64          `json:"evaluationTime"`
	LastEvaluation time.Time        `json:"lastEvaluation"`
	Type           string           `json:"type"`
}

type alertingRule struct {
	State         string        `json:"state"`
	Name          string        `json:"name"`
	Query         string        `json:"query"`
	Duration      float64       `json:"duration"`
	KeepFiringFor float64       `json:"keepFiringFor"`
	Labels        labels.Labels `json:"labels"`
	Annotations   labels.Labels `json:"annotations"`
	Alerts        []alert       `json:"alerts"`
	evaluated
}

type recordingRule struct {
	Name   string        `json:"name"`
	Query  string        `json:"query"`
	Labels labels.Labels `json:"labels"`
	evaluated
}

func (a *API) groups() []*rules.Group {
	if a.o.Rules == nil {
		return nil
	}
	return a.o.Rules.RuleGroups()
}

func (a *API) rules(_ context.Context, f form) (any, []string, error) {
	kind := strings.ToLower(f.get("type"))
	if kind != "" && kind != "alert" && kind != "record" {
		return nil, nil, invalid("type", fmt.Errorf("not supported value %q", kind))
	}
	without := false
	if text := f.get("exclude_alerts"); text != "" {
		var err error
		if without, err = strconv.ParseBool(text); err != nil {
			return nil, nil, invalid("exclude_alerts", errors.New("error converting exclude_alerts"))
		}
	}
	sets, err := a.matchers(f)
	if err != nil {
		return nil, nil, err
	}
	wanted := func(parameter, name string) bool {
		list := f.values[parameter]
		return len(list) == 0 || slices.Contains(list, name)
	}
	found := []ruleGroup{}
	for _, g := range a.groups() {
		if !wanted("rule_group[]", g.Name()) || !wanted("file[]", g.File()) {
			continue
		}
		shown := ruleGroup{
			Name: g.Name(), File: g.File(), Interval: g.Interval().Seconds(), Limit: g.Limit(), Rules: []any{},
			EvaluationTime: g.GetEvaluationTime().Seconds(), LastEvaluation: g.GetLastEvaluation(),
		}
		for _, r := range g.Rules(sets...) {
			if !wanted("rule_name[]", r.Name()) {
				continue
			}
			switch r := r.(type) {
			case *rules.AlertingRule:
				if kind != "record" {
					shown.Rules = append(shown.Rules, alerting(r, without))
				}
			case *rules.RecordingRule:
				if kind != "alert" {
					shown.Rules = append(shown.Rules, recordingRule{r.Name(), r.Query().String(), r.Labels(), evaluation(r, "recording")})
				}
			}
		}
		if len(shown.Rules) > 0 {
			found = append(found, shown)
		}
	}
	return map[string]any{"groups": found}, nil, nil
}

func alerting(r *rules.AlertingRule, withoutAlerts bool) alertingRule {
	shown := alertingRule{
		State: r.State().String(), Name: r.Name(), Query: r.Query().String(),
		Duration: r.HoldDuration().Seconds(), KeepFiringFor: r.KeepFiringFor().Seconds(),
		Labels: r.Labels(), Annotations: r.Annotations(), Alerts: []alert{}, evaluated: evaluation(r, "alerting"),
	}
	if !withoutAlerts {
		shown.Alerts = active(r)
	}
	return shown
}

func evaluation(r rules.Rule, kind string) evaluated {
	e := evaluated{
		Health: r.Health(), EvaluationTime: r.GetEvaluationDuration().Seconds(), LastEvaluation: r.GetEvaluationTimestamp(), Type: kind,
	}
	if err := r.LastError(); err != nil {
		e.LastError = err.Error()
	}
	return e
}

func active(r *rules.AlertingRule) []alert {
	shown := []alert{}
	for _, x := range r.ActiveAlerts() {
		one := alert{
			Labels: x.Labels, Annotations: x.Annotations, State: x.State.String(), ActiveAt: &x.ActiveAt,
			Value: strconv.FormatFloat(x.Value, 'e', -1, 64),
		}
		if !x.KeepFiringSince.IsZero() {
			one.KeepFiringSince = &x.KeepFiringSince
		}
		shown = append(shown, one)
	}
	return shown
}

func (a *API) alerts(context.Context, form) (any, []string, error) {
	found := []alert{}
	for _, g := range a.groups() {
		for _, r := range g.AlertingRules() {
			found = append(found, active(r)...)
		}
	}
	return map[string]any{"alerts": found}, nil, nil
}

// speaks is the Prometheus whose language and documents this is, by which clients
// choose what they ask for.
const speaks = "3.15.0"

func (a *API) buildInfo(context.Context, form) (any, []string, error) {
	return map[string]string{
		"version": speaks, "revision": "treq-telemetry " + a.o.Version, "branch": "", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
	}, nil, nil
}
