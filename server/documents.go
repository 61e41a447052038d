package server

import (
	"context"
	"time"

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
	// hindered tells whether a sink or the log cannot make progress.
	hindered func() bool
}

// Metrics makes the full document of one service, or of all with "".
func (d *documents) Metrics(ctx context.Context, service string) (any, error) {
	m, _, err := d.build(ctx, service)
	return m, err
}

// Summary makes the summary of one service, or of all with "".
func (d *documents) Summary(ctx context.Context, service string) (any, error) {
	return d.summary(ctx, service)
}

func (d *documents) summary(ctx context.Context, service string) (snapshot.Summary, error) {
	_, s, err := d.build(ctx, service)
	return s, err
}

func (d *documents) build(ctx context.Context, service string) (snapshot.Metrics, snapshot.Summary, error) {
	snap, err := d.reader.Snapshot(ctx)
	if err != nil {
		return snapshot.Metrics{}, snapshot.Summary{}, err
	}
	m, s := snapshot.Build(snap, snapshot.Query{Service: service}, d.system(service), time.Now(), time.Since(d.started))
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
