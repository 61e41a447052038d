package server

import (
	"context"
	"time"

	"treq/server/api"
	"treq/server/fleet"
	"treq/telemetry/instrument"
	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
)

// The values of system.status.
const (
	healthy  = "healthy"
	degraded = "degraded"
)

// documents makes the guide's two documents from one collection.
type documents struct {
	reader   *snapshot.Reader
	process  *instrument.Process
	reported *reported.Store
	started  time.Time
	windows  *windows    // nil without a history
	fleet    *fleet.View // nil where the documents are this process's own
	// hindered tells whether a sink or the log cannot make progress, rules cannot be
	// evaluated, or a critical alert fires.
	hindered func() bool
}

// Metrics makes the full document.
func (d *documents) Metrics(ctx context.Context, n api.Narrow) (any, error) {
	if d.fleet != nil {
		m, _, err := d.ofFleet(ctx, n)
		return m, err
	}
	m, _, err := d.build(ctx, n)
	return m, err
}

// Summary makes the summary.
func (d *documents) Summary(ctx context.Context, n api.Narrow) (any, error) {
	if d.fleet != nil {
		_, s, err := d.ofFleet(ctx, n)
		return s, err
	}
	return d.summary(ctx, n)
}

func (d *documents) summary(ctx context.Context, n api.Narrow) (snapshot.Summary, error) {
	_, s, err := d.build(ctx, n)
	return s, err
}

func (d *documents) build(ctx context.Context, n api.Narrow) (snapshot.Metrics, snapshot.Summary, error) {
	snap, err := d.reader.Snapshot(ctx)
	if err == nil && !n.From.IsZero() {
		snap, err = d.windows.since(ctx, snap, n.From)
	}
	if err != nil {
		return snapshot.Metrics{}, snapshot.Summary{}, err
	}
	m, s := snapshot.Build(snap, snapshot.Query{Service: n.Service}, d.system(n.Service), time.Now(), time.Since(d.started))
	return m, s, nil
}

// system is about this process, or about what a service reported of its own.
func (d *documents) system(service string) snapshot.System {
	s := snapshot.System{Status: healthy}
	if d.hindered() {
		s.Status = degraded
	}
	if service != "" {
		if v, ok := d.reported.System(service); ok {
			s.Sample = v
		}
		return s
	}
	// Without the operating system's answer the figures of last time stand: the
	// document is about the chats.
	s.Sample, _ = d.process.Sample()
	return s
}
