package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/rules"

	"treq/server/alerting"
	"treq/server/api"
	"treq/server/notify"
	"treq/telemetry/objective"
)

// OpenObjectives gives the objectives of the program with a file laid over them; ""
// is none. The error names the line, the key and the reason of everything that is wrong.
func OpenObjectives(path string) (*objective.Document, error) {
	if path == "" {
		return objective.Builtin(), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("objectives: %w", err)
	}
	return objective.Load(path, data)
}

// alertState is the file in the data directory that keeps what fires.
const alertState = "alerts.state"

// openAlerts begins to evaluate the objectives over the history. Without a history
// there is nothing to evaluate.
func (s *Server) openAlerts(p *parts) error {
	doc, err := OpenObjectives(s.config.Objectives.File)
	if err != nil {
		return err
	}
	p.quality = newQuality(p)
	if p.history == nil {
		return nil
	}
	external, err := url.Parse(s.config.Notifications.ExternalURL)
	if err != nil {
		return fmt.Errorf("notifications.external_url: %w", err)
	}
	o := alerting.Options{
		Storage: p.history, Objectives: doc, Interval: time.Duration(s.config.Objectives.Interval),
		State:    filepath.Join(s.config.DataDir, alertState),
		Notifier: p.notifications, Known: p.notifications.Firing,
		External: external, Logger: s.log, Now: p.history.Now,
	}
	if s.config.History.URL != "" {
		o.Source = p.history.QueryVector
	}
	if p.alerts, err = alerting.New(o); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.alerts.Run(ctx, func() error {
			err := s.evaluable(p)
			if err == nil {
				p.quality.look(ctx, time.Now())
			}
			return err
		})
	}()
	s.onStop("alerts", func(context.Context) error {
		cancel()
		<-done
		return nil
	})
	return nil
}

// evaluable is nil when the history holds the numbers of now: before its first
// sample everything would look as if it had ended.
func (s *Server) evaluable(p *parts) error {
	if err := p.meter.Ready(); err != nil {
		return err
	}
	if _, newest := p.history.Head(); newest.Before(p.sampledFrom) {
		return errNotSampled
	}
	return nil
}

var errNotSampled = errors.New("the history has no sample of this process yet")

// alertOptions are what the API serves of the objectives, and of how the service is.
func (s *Server) alertOptions(p *parts, o *api.Options) {
	o.Health = func(ctx context.Context, verbose bool) api.Health { return s.health(ctx, p, verbose) }
	if p.alerts != nil {
		o.Objectives = shownObjectives{p.alerts, p.notifications.Status}
	}
}

// shownObjectives are the objectives as the API asks for them.
type shownObjectives struct {
	*alerting.Evaluator
	receivers func() []notify.Status
}

// KPIs implements api.Objectives.
func (o shownObjectives) KPIs(ctx context.Context) (any, error) { return o.Scorecard(ctx) }

// Alerts implements api.Objectives.
func (o shownObjectives) Alerts() any { return shownAlerts{o.List(), o.receivers()} }

// shownAlerts are the alerts with how those do who are told of them.
type shownAlerts struct {
	alerting.List
	Receivers []notify.Status `json:"receivers"`
}

// RuleGroups gives the rules for Prometheus's query API, none without a history.
func (p *parts) RuleGroups() []*rules.Group {
	if p.alerts == nil {
		return nil
	}
	return p.alerts.RuleGroups()
}

// reasons say what makes the status degraded: what cannot make progress, alerts
// that cannot be had, and critical alerts that fire.
func (s *Server) reasons(p *parts) []string {
	var list []string
	if hindered := s.hindrance(p); hindered != "" {
		list = append(list, hindered)
	}
	if p.alerts != nil {
		if hindered := p.alerts.Hindrance(); hindered != "" {
			list = append(list, hindered)
		}
		list = append(list, p.alerts.Critical()...)
	}
	return list
}

func (s *Server) health(ctx context.Context, p *parts, verbose bool) api.Health {
	h := api.Health{Reasons: s.reasons(p)}
	if verbose {
		h.Telemetry = p.quality.document(ctx, time.Now())
	}
	return h
}

// replaceObjectives evaluates what the file says now.
func (p *parts) replaceObjectives(doc *objective.Document) error {
	if p.alerts == nil {
		return nil
	}
	return p.alerts.Replace(doc)
}
