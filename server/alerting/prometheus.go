package alerting

import (
	"strconv"
	"time"

	"github.com/prometheus/prometheus/rules"
)

// RuleGroups is the data of Prometheus's GET /api/v1/rules.
type RuleGroups struct {
	Groups []RuleGroup `json:"groups"`
}

// RuleGroup is a group as Prometheus shows it; times are in seconds.
type RuleGroup struct {
	Name           string    `json:"name"`
	File           string    `json:"file"`
	Rules          []any     `json:"rules"`
	Interval       float64   `json:"interval"`
	Limit          int       `json:"limit"`
	EvaluationTime float64   `json:"evaluationTime"`
	LastEvaluation time.Time `json:"lastEvaluation"`
}

// PrometheusAlerts is the data of Prometheus's GET /api/v1/alerts.
type PrometheusAlerts struct {
	Alerts []PrometheusAlert `json:"alerts"`
}

// PrometheusAlert is an alert as Prometheus shows it.
type PrometheusAlert struct {
	Labels          map[string]string `json:"labels"`
	Annotations     map[string]string `json:"annotations"`
	State           string            `json:"state"`
	ActiveAt        *time.Time        `json:"activeAt,omitempty"`
	KeepFiringSince *time.Time        `json:"keepFiringSince,omitempty"`
	Value           string            `json:"value"`
}

type prometheusRule struct {
	Name           string            `json:"name"`
	Query          string            `json:"query"`
	Labels         map[string]string `json:"labels,omitempty"`
	Health         string            `json:"health"`
	LastError      string            `json:"lastError,omitempty"`
	EvaluationTime float64           `json:"evaluationTime"`
	LastEvaluation time.Time         `json:"lastEvaluation"`
	Type           string            `json:"type"`
}

type prometheusAlertingRule struct {
	State         string            `json:"state"`
	Duration      float64           `json:"duration"`
	KeepFiringFor float64           `json:"keepFiringFor"`
	Annotations   map[string]string `json:"annotations,omitempty"`
	Alerts        []PrometheusAlert `json:"alerts"`
	prometheusRule
}

// PrometheusRules gives the rules with their states. kind is "alert", "record" or
// "" for both, as Prometheus's parameter type.
func (ev *Evaluator) PrometheusRules(kind string) RuleGroups {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	out := RuleGroups{Groups: []RuleGroup{}}
	for _, g := range ev.engine.groups {
		group := RuleGroup{
			Name: g.Name(), File: "objectives", Rules: []any{}, Interval: g.Interval().Seconds(),
			EvaluationTime: g.GetEvaluationTime().Seconds(), LastEvaluation: g.GetLastEvaluation(),
		}
		for _, r := range g.Rules() {
			base := prometheusRule{
				Name: r.Name(), Query: r.Query().String(), Labels: r.Labels().Map(), Health: string(r.Health()),
				EvaluationTime: r.GetEvaluationDuration().Seconds(), LastEvaluation: r.GetEvaluationTimestamp(), Type: "recording",
			}
			if err := r.LastError(); err != nil {
				base.LastError = err.Error()
			}
			alerting, ok := r.(*rules.AlertingRule)
			switch {
			case !ok && kind != "alert":
				group.Rules = append(group.Rules, base)
			case ok && kind != "record":
				base.Type = "alerting"
				group.Rules = append(group.Rules, prometheusAlertingRule{
					State: alerting.State().String(), Duration: alerting.HoldDuration().Seconds(),
					KeepFiringFor: alerting.KeepFiringFor().Seconds(), Annotations: alerting.Annotations().Map(),
					Alerts: activeOf(alerting), prometheusRule: base,
				})
			}
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

// PrometheusAlerts gives the alerts that are pending or fire, as the engine has them.
func (ev *Evaluator) PrometheusAlerts() PrometheusAlerts {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	out := PrometheusAlerts{Alerts: []PrometheusAlert{}}
	for _, g := range ev.engine.groups {
		for _, r := range g.AlertingRules() {
			out.Alerts = append(out.Alerts, activeOf(r)...)
		}
	}
	return out
}

func activeOf(r *rules.AlertingRule) []PrometheusAlert {
	out := []PrometheusAlert{}
	for _, a := range r.ActiveAlerts() {
		shown := PrometheusAlert{
			Labels: a.Labels.Map(), Annotations: a.Annotations.Map(), State: a.State.String(),
			ActiveAt: &a.ActiveAt, Value: strconv.FormatFloat(a.Value, 'e', -1, 64),
		}
		if !a.KeepFiringSince.IsZero() {
			shown.KeepFiringSince = &a.KeepFiringSince
		}
		out = append(out, shown)
	}
	return out
}
