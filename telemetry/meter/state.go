package meter

import (
	"context"
	"fmt"
	"time"
)

// dirty tells whether the state moved on since the last checkpoint.
func (m *Meter) dirty() bool { return m.Counted() != m.checkpointed }

func (m *Meter) checkpointIfDue() error {
	if m.writing != nil {
		select {
		case err := <-m.writing:
			m.writing = nil
			if err != nil {
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

// checkpoint takes the state between two records and has it written in the
// background, since an fsync may take longer than many records.
func (m *Meter) checkpoint() error {
	c, err := m.state()
	if err != nil {
		return err
	}
	m.checkpointed = c.Position
	m.lastCheckpoint = m.opts.Now()
	done := make(chan error, 1)
	m.writing = done
	go func() {
		keep, err := m.generations.store(c)
		if err == nil {
			m.cursor.Commit(keep)
		}
		done <- err
	}()
	return nil
}

// settle waits for a checkpoint that is being written.
func (m *Meter) settle() error {
	if m.writing == nil {
		return nil
	}
	err := <-m.writing
	m.writing = nil
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

func (m *Meter) state() (c *checkpoint, err error) {
	c = &checkpoint{
		Position: m.Counted(),
		Admitted: m.admitted,
		Written:  m.opts.Now(),
		Rules:    m.rules,
	}
	if c.Totals, err = m.opts.Reader.Totals(context.Background()); err == nil {
		c.Engine, err = m.engine.MarshalBinary()
	}
	if err == nil {
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
