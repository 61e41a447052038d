package alerting

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"treq/telemetry/objective"
)

// Storage is where rules read and write: the history, or a database of a test.
type Storage interface {
	Engine() *promql.Engine
	Queryable() storage.Queryable
	Appendable() storage.Appendable
}

// QueryFunc evaluates an expression at a time.
type QueryFunc = rules.QueryFunc

// outage is how long the process may have been down for the time that alerts were
// pending to go on.
const outage = time.Hour

// engine is Prometheus's rule engine over one set of rules. It belongs to one
// goroutine, but for its groups, which may be read at any time.
type engine struct {
	groups []*group
	// restore tells that the series of an earlier process are to be looked at.
	restore bool
}

type group struct {
	*rules.Group
	next   time.Time // when it is due
	rounds int       // evaluated since the start
}

// eager is how many times a group is evaluated four times as often: a service that
// was just started shows its day within the minute.
const eager = 10

// newEngine makes the groups. source answers what recording rules ask, nil for
// the storage itself.
func newEngine(set *objective.Rules, s Storage, source QueryFunc, external *url.URL, log *slog.Logger) (*engine, error) {
	here := rules.EngineQueryFunc(s.Engine(), s.Queryable())
	query := here
	if source != nil {
		query = func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
			if rules.FromOriginContext(ctx).Kind == rules.KindRecording {
				return source(ctx, expr, at)
			}
			return here(ctx, expr, at)
		}
	}
	o := &rules.ManagerOptions{
		ExternalURL: external, Context: context.Background(), Logger: log,
		Queryable: s.Queryable(), Appendable: s.Appendable(), QueryFunc: query,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, // what fires is read from the rules
		// A pending alert goes on at once, however short its time.
		OutageTolerance: outage, ForGracePeriod: 0,
		Metrics: rules.NewGroupMetrics(nil),
	}
	e := &engine{restore: true}
	parse := parser.NewParser(parser.Options{})
	for _, g := range set.Groups {
		var list []rules.Rule
		for _, r := range g.Rules {
			expr, err := parse.ParseExpr(r.Expr)
			if err != nil {
				return nil, fmt.Errorf("rule %s%s: %w", r.Record, r.Alert, err)
			}
			if r.Record != "" {
				list = append(list, rules.NewRecordingRule(r.Record, expr, labels.FromMap(r.Labels)))
				continue
			}
			list = append(list, rules.NewAlertingRule(r.Alert, expr, r.For, r.KeepFiringFor,
				labels.FromMap(r.Labels), labels.FromMap(r.Annotations), labels.EmptyLabels(), external.String(), false, log))
		}
		e.groups = append(e.groups, &group{Group: rules.NewGroup(rules.GroupOptions{
			Name: g.Name, Interval: g.Interval, Rules: list, ShouldRestore: true, Opts: o,
		})})
	}
	return e, nil
}

// follow takes over what an engine knew of the rules that both have.
func (e *engine) follow(before *engine) {
	for _, g := range e.groups {
		for _, old := range before.groups {
			if old.Name() == g.Name() {
				g.CopyState(old.Group)
				g.next, g.rounds = old.next, old.rounds
			}
		}
		for _, r := range g.AlertingRules() {
			r.SetRestored(true)
		}
	}
	e.restore = false
}

// evaluate runs the groups that are due.
func (e *engine) evaluate(ctx context.Context, at time.Time) {
	for _, g := range e.groups {
		if at.Before(g.next) || ctx.Err() != nil {
			continue
		}
		rules.DefaultEvalIterationFunc(ctx, g.Group, at)
		if e.restore {
			// What was pending is known only now, and what fires is written only then.
			// The time between two evaluations is no time that the process was down.
			g.RestoreForState(at.Add(-g.Interval()))
			rules.DefaultEvalIterationFunc(ctx, g.Group, at)
		}
		// On the grid of the interval, so that a late evaluation does not move the next.
		pace := g.Interval()
		if g.rounds++; g.rounds <= eager && pace >= time.Minute {
			pace /= 4
		}
		g.next = at.Truncate(pace).Add(pace)
	}
	e.restore = false
}

// each gives every instance of every alerting rule.
func (e *engine) each(f func(*rules.AlertingRule, *rules.Alert)) {
	for _, g := range e.groups {
		for _, r := range g.AlertingRules() {
			r.ForEachActiveAlert(func(a *rules.Alert) { f(r, a) })
		}
	}
}

// failing gives the rules that could not be evaluated, with the reason.
func (e *engine) failing() map[string]error {
	out := map[string]error{}
	for _, g := range e.groups {
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				out[r.Name()] = err
			}
		}
	}
	return out
}

// finite keeps a number such that it can be written as JSON.
func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case math.IsInf(v, 1):
		return math.MaxFloat64
	case math.IsInf(v, -1):
		return -math.MaxFloat64
	}
	return v
}
