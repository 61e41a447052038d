package meter

import (
	"context"
	"fmt"
	"io"
	"time"

	"treq/telemetry/journal"
)

// written is what became of a checkpoint.
type written struct {
	keep journal.Position
	err  error
}

// dirty tells whether the state moved on since the last checkpoint, or the older
// generation still stands before it. That one holds segments back: a journal at
// its bound would refuse all that could make it move.
func (m *Meter) dirty() bool { return m.Counted() != m.kept }

func (m *Meter) checkpointIfDue() error {
	if m.writing != nil {
		select {
		case w := <-m.writing:
			if err := m.wrote(w); err != nil {
				m.log.Error("the checkpoint could not be written; it is tried again", "error", err)
			}
		default:
			return nil
		}
	}
	if !m.dirty() || m.opts.Now().Sub(m.lastCheckpoint) < m.opts.CheckpointInterval {
		return nil
	}
	return m.checkpoint()
}

// checkpoint writes the state between two records, and has it made durable in the
// background, since an fsync may take longer than many records. A disk that refuses is
// answered like one that refuses the fsync: the next attempt is due as usual.
func (m *Meter) checkpoint() error {
	c, err := m.state()
	if err != nil {
		return err
	}
	m.lastCheckpoint = m.opts.Now()
	done := make(chan written, 1)
	m.writing = done
	draft, err := m.generations.Begin(c.Position, func(w io.Writer) error { return c.encode(w, m.engine.WriteState) })
	if err != nil {
		done <- written{err: err}
		return nil
	}
	go func() {
		keep, err := m.generations.Finish(draft)
		if err == nil {
			m.cursor.Commit(keep)
		}
		done <- written{keep, err}
	}()
	return nil
}

// wrote takes note of a checkpoint whose writing has ended.
func (m *Meter) wrote(w written) error {
	m.writing = nil
	if w.err == nil {
		m.kept = w.keep
	}
	return w.err
}

// settle waits for a checkpoint that is being written.
func (m *Meter) settle() error {
	if m.writing == nil {
		return nil
	}
	if err := m.wrote(<-m.writing); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

func (m *Meter) state() (c *state, err error) {
	c = &state{
		Position: m.Counted(),
		Admitted: m.admitted,
		Written:  m.opts.Now(),
		Rules:    m.rules,
	}
	if c.Totals, err = m.opts.Reader.Totals(context.Background()); err == nil {
		c.Bounds, err = m.opts.Instruments.MarshalBinary()
	}
	if err == nil {
		c.Reported, err = m.opts.Reported.MarshalBinary()
	}
	if err != nil {
		return nil, fmt.Errorf("take checkpoint: %w", err)
	}
	if c.Admitted.IsZero() {
		c.Admitted = time.Unix(0, 0)
	}
	return c, nil
}
