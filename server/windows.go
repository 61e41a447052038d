package server

import (
	"context"
	"sync"
	"time"

	"treq/server/config"
	"treq/server/history"
	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// windows narrow snapshots to what was counted after a time of the history. It is
// safe for concurrent use.
type windows struct {
	store   *history.Store
	reader  *snapshot.Reader
	exposed *snapshot.Exposed
	now     func() time.Time

	mu    sync.Mutex
	pasts []past // the one that was asked for last comes last
}

// past is what was counted until a time.
type past struct {
	at       time.Time
	snapshot *snapshot.Snapshot
}

// mostPasts is how many are remembered: who watches a window asks for the same
// until the next sampling, and few windows are watched.
const mostPasts = 6

func newWindows(store *history.Store, reader *snapshot.Reader) (*windows, error) {
	exposed, err := snapshot.NewExposed()
	return &windows{store: store, reader: reader, exposed: exposed, now: store.Now}, err
}

// from gives the time of the sampling that a trailing window begins with: at most
// a step before the window does. Zero is where everything that was counted lies
// within the window. Where history is younger than what was counted, it is the
// oldest sampling.
func (w *windows) from(ctx context.Context, window time.Duration) (time.Time, error) {
	if keep := w.store.Keep(); window > keep {
		return time.Time{}, telemetry.Errorf(telemetry.Unprocessable, "Input should be at most %s, which is how long the history is kept", config.Duration(keep))
	}
	begin := w.now().Add(-window)
	when, reaches, err := w.store.SamplingTime(begin)
	if err != nil {
		return time.Time{}, &telemetry.Error{Message: "the history cannot be read", Err: err}
	}
	if reaches {
		return when, nil
	}
	now, err := w.reader.Snapshot(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if since := now.CountedSince(); since.IsZero() || !since.Before(begin) {
		return time.Time{}, nil
	}
	if when.IsZero() {
		return time.Time{}, &telemetry.Error{Kind: telemetry.Unavailable, Message: "the history holds nothing yet", RetryAfter: time.Second}
	}
	return when, nil
}

// since narrows a snapshot to what was counted after a time that from gave.
func (w *windows) since(ctx context.Context, now *snapshot.Snapshot, from time.Time) (*snapshot.Snapshot, error) {
	if from.IsZero() {
		return now, nil
	}
	then, err := w.past(ctx, from)
	if err != nil {
		return nil, &telemetry.Error{Message: "the history cannot be read", Err: err}
	}
	return now.Since(then), nil
}

func (w *windows) past(ctx context.Context, at time.Time) (*snapshot.Snapshot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.pasts {
		if p.at.Equal(at) {
			return p.snapshot, nil
		}
	}
	var failed error
	s := w.exposed.Totals(func(yield func(snapshot.ExposedSample) bool) {
		failed = w.store.Sampling(ctx, at, w.exposed.Names(), func(name string, label func(string) string, value float64) {
			yield(snapshot.ExposedSample{Name: name, Label: label, Value: value})
		})
	})
	if failed != nil {
		return nil, failed
	}
	if len(w.pasts) == mostPasts {
		w.pasts = append(w.pasts[:0], w.pasts[1:]...)
	}
	w.pasts = append(w.pasts, past{at, s})
	return s, nil
}
