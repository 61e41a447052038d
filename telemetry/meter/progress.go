package meter

import (
	"context"
	"fmt"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

func (m *Meter) wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting > 0 {
		close(m.changed)
		m.changed = make(chan struct{})
		m.waiting = 0
	}
}

// WaitCounted returns when everything before pos is counted, or with ctx's
// error, or with the error that stopped the counting.
func (m *Meter) WaitCounted(ctx context.Context, pos journal.Position) error {
	for {
		m.mu.Lock()
		if m.counted.Load() >= uint64(pos) {
			m.mu.Unlock()
			return nil
		}
		if f := m.failed.Load(); f != nil {
			m.mu.Unlock()
			return f
		}
		changed := m.changed
		m.waiting++
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Ready is nil once everything that was durable at start is counted, and the timers
// that had fired by then fired again; before that, and after counting failed, it says why the totals must not be shown.
func (m *Meter) Ready() error {
	if f := m.failed.Load(); f != nil {
		return f
	}
	if !m.caughtUp.Load() {
		return &telemetry.Error{
			Kind:       telemetry.Unavailable,
			Message:    fmt.Sprintf("the journal is being replayed: %d bytes to go", uint64(m.target)-min(m.counted.Load(), uint64(m.target))),
			RetryAfter: time.Second,
		}
	}
	return nil
}

// Version changes whenever a post was counted, so that a cached rendering can
// tell that it is outdated.
func (m *Meter) Version() uint64 { return m.opts.Reader.Version() }

// Counted is the position up to which everything is counted.
func (m *Meter) Counted() journal.Position { return journal.Position(m.counted.Load()) }

// OpenSpans is how many admitted spans wait for their fragment to close.
func (m *Meter) OpenSpans() int64 { return m.open.Load() }

// Entries lists what was taken for the entry of a chat, and what was not. The
// list is a moment old while records stream in.
func (m *Meter) Entries() []understand.EntryCount {
	if e := m.entries.Load(); e != nil {
		return *e
	}
	return nil
}
