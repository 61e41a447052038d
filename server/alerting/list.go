package alerting

import (
	"time"

	"github.com/prometheus/prometheus/rules"
)

// List is the document of GET /monitoring/alerts.
type List struct {
	Time time.Time `json:"time"`
	// Firing counts the instances that fire, by severity.
	Firing map[Severity]int `json:"firing"`
	Alerts []Shown          `json:"alerts"`
	// Resolved ended in the last 24 hours, the newest first.
	Resolved []Instance `json:"resolved"`
}

// Shown is one rule with what it finds.
type Shown struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// State is the most urgent of the instances', inactive without one.
	State      State  `json:"state"`
	Expression string `json:"expression"`
	ForSeconds int64  `json:"for_seconds"`
	// KeepFiringForSeconds is how long the alert stays when its cause is over.
	KeepFiringForSeconds int64 `json:"keep_firing_for_seconds"`
	// Error says why the rule cannot be evaluated, "" while it can.
	Error     string     `json:"error,omitempty"`
	Instances []Instance `json:"instances"`
}

// Instance is one alert of a rule.
type Instance struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	State    State    `json:"state"`
	// Since is when it became pending or began to fire.
	Since time.Time `json:"since"`
	// Until is when it was resolved.
	Until       *time.Time        `json:"until,omitempty"`
	Value       float64           `json:"value"`
	Labels      map[string]string `json:"labels"`
	Fingerprint string            `json:"fingerprint"`
	Texts       map[Language]Text `json:"texts"`
	// Notified tells whether the notifier has taken over the present state.
	Notified bool `json:"notified"`
}

// List gives all rules and what they find.
func (ev *Evaluator) List() List {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	doc := List{Time: ev.o.Now().UTC(), Firing: map[Severity]int{Info: 0, Warning: 0, Critical: 0}, Alerts: []Shown{}, Resolved: []Instance{}}
	for _, g := range ev.engine.groups {
		for _, r := range g.Rules() {
			rule, ok := r.(*rules.AlertingRule)
			if !ok {
				continue
			}
			s := Shown{
				Name: rule.Name(), Severity: Severity(rule.Labels().Get("severity")), State: Inactive,
				Expression: rule.Query().String(), ForSeconds: int64(rule.HoldDuration().Seconds()),
				KeepFiringForSeconds: int64(rule.KeepFiringFor().Seconds()), Instances: ev.instances(rule),
			}
			if err := rule.LastError(); err != nil {
				s.Error = err.Error()
			}
			for _, i := range s.Instances {
				if i.State == Firing || s.State == Inactive {
					s.State = i.State
				}
				if i.State == Firing {
					doc.Firing[i.Severity]++
				}
			}
			doc.Alerts = append(doc.Alerts, s)
		}
	}
	for i := len(ev.register.ended) - 1; i >= 0; i-- {
		doc.Resolved = append(doc.Resolved, instanceOf(ev.register.ended[i]))
	}
	return doc
}

// instances gives what of a rule fires, and what of it may. mu is held.
func (ev *Evaluator) instances(rule *rules.AlertingRule) []Instance {
	out := []Instance{}
	for _, h := range ev.register.all() {
		if h.Alert.State == Firing && h.Alert.Rule == rule.Name() {
			out = append(out, instanceOf(h))
		}
	}
	rule.ForEachActiveAlert(func(a *rules.Alert) {
		id := fingerprint(a.Labels)
		if a.State != rules.StatePending || ev.register.firing[id] != nil {
			return
		}
		pending := alertOf(rule, a, id, a.ActiveAt, "")
		pending.State = Pending
		i := instanceOf(&held{Alert: pending})
		i.Notified = false
		out = append(out, i)
	})
	return out
}

func instanceOf(h *held) Instance {
	a := h.Alert
	i := Instance{
		Rule: a.Rule, Severity: a.Severity, State: a.State, Since: a.StartsAt.UTC(), Value: a.Value,
		Labels: a.Labels, Fingerprint: a.Fingerprint, Texts: a.Texts, Notified: h.Owed == "",
	}
	if !a.EndsAt.IsZero() {
		until := a.EndsAt.UTC()
		i.Until = &until
	}
	return i
}

// RuleGroups gives the rules with their states, as Prometheus's query API shows
// them. The groups are shared: only ask them.
func (ev *Evaluator) RuleGroups() []*rules.Group {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	var groups []*rules.Group
	for _, g := range ev.engine.groups {
		groups = append(groups, g.Group)
	}
	return groups
}
