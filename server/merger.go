package server

import (
	"context"
	"errors"
	"time"

	"treq/telemetry/instrument"
	"treq/telemetry/merger"
)

// openMerger finds where spans of native runs were made last.
func (s *Server) openMerger(p *parts) (err error) {
	c := s.config.Runs
	p.merger, err = merger.Open(merger.Options{
		Dir: s.config.DataDir, Log: s.mergedLog(p), Logger: s.log,
		Timeout: time.Duration(c.Timeout), PendingBytes: int64(c.PendingBytes),
	})
	return err
}

// runMerger starts to make spans. It starts behind the readers of spans, so that it
// ends before them and they read the last of what it appends.
func (s *Server) runMerger(m *merger.Merger) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := m.Run(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("native runs no longer become spans; restart to go on from the last checkpoint", "error", err)
		}
		done <- err
	}()
	s.onStop("runs merger", func(ctx context.Context) error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return errors.New("the last checkpoint of runs was not done in time; they are read again at the next start")
		}
	})
}

// runCounts are the figures of native runs.
func (p *parts) runCounts() instrument.Runs {
	st := p.merger.Stats()
	return instrument.Runs{
		Running: int64(st.Running), Bytes: st.RunningBytes, Spans: int64(st.Spans),
		Unended: []instrument.Drop{
			{Reason: "timed_out", Spans: int64(st.TimedOut)},
			{Reason: "evicted", Spans: int64(st.Evicted)},
			{Reason: "orphan", Spans: int64(st.Orphans)},
		},
		Repeated: int64(st.Late + st.Paired),
	}
}
