package history

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Store is the history of one data directory. Make it with Open and close it when
// nobody uses it any more. Its methods are safe for concurrent use.
type Store struct {
	o      Options
	clock  *clock
	log    *slog.Logger
	db     *tsdb.DB
	engine *promql.Engine
	remote *remote  // nil where queries are answered here
	writer *writer  // nil where nothing is written elsewhere
	turns  chan any // taken by the queries of callers that run

	sampler sampler
	catalog catalog
	stats   stats

	closing sync.Once
	closed  error
}

// stats count what happened to the history since the process started.
type stats struct {
	quarantined atomic.Uint64 // directories set aside
	steps       atomic.Uint64 // samplings that were stored
	skipped     atomic.Uint64 // samplings that were not
	samples     atomic.Uint64
}

// Open opens the database of a directory, or makes it. One that is damaged beyond
// what the database mends by itself is set aside under another name, and an empty
// one is begun: history is never a reason not to start. An error means that
// neither could be had, for want of room or permission.
func Open(o Options) (*Store, error) {
	o.complete()
	s := &Store{o: o, clock: newClock(o.Now), log: o.Logger, turns: make(chan any, concurrent())}
	var err error
	if o.Remote.URL != "" {
		if s.remote, err = newRemote(o.Remote); err != nil {
			return nil, err
		}
	}
	if o.RemoteWrite.URL != "" {
		if s.writer, err = newWriter(o.RemoteWrite, o.Logger); err != nil {
			return nil, err
		}
	}
	if s.db, err = s.openDatabase(); err != nil {
		return nil, err
	}
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger:                   slog.New(slog.DiscardHandler),
		MaxSamples:               o.MaxSamples,
		Timeout:                  o.Timeout,
		LookbackDelta:            o.lookback(),
		NoStepSubqueryIntervalFn: func(int64) int64 { return o.Step.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   Parser(),
	})
	if err := s.sampler.resume(s); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	s.goOn()
	if s.writer != nil {
		s.writer.start(s.unsent())
	}
	return s, nil
}

// Close stops writing elsewhere, with a short chance for what waits, and closes the
// database. Queries must have ended. Later calls give the first one's error.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if s.writer != nil {
			s.writer.close()
		}
		s.closed = errors.Join(s.engine.Close(), s.db.Close())
	})
	return s.closed
}

// Now is the time that samples are stored at, and that whoever asks for the present
// must ask for: the machine's, or ahead of it for as long as that was set back
// (Status.Ahead). It never goes back.
func (s *Store) Now() time.Time { return s.clock.now() }

// Step is the time between two samples.
func (s *Store) Step() time.Duration { return s.o.Step }

// Keep is how long samples are kept.
func (s *Store) Keep() time.Duration { return s.o.Keep }

// Engine runs PromQL, bounded in time and samples.
func (s *Store) Engine() *promql.Engine { return s.engine }

// Queryable reads what is stored here.
func (s *Store) Queryable() storage.Queryable { return s.db }

// Exemplars reads the newest examples of what was measured, with their trace ids.
func (s *Store) Exemplars() storage.ExemplarQueryable { return s.db }

// Appendable stores samples here, such as those of recording rules, and gives them
// to where this process writes remotely.
func (s *Store) Appendable() storage.Appendable {
	if s.writer == nil {
		return s.db
	}
	return teed{s.db, s.writer, s.o.Instance}
}

// Head tells from when to when samples are held; both zero while there are none.
func (s *Store) Head() (oldest, newest time.Time) {
	if last := s.sampler.lastTime(); !last.IsZero() {
		newest = last
		if first, err := s.db.StartTime(); err == nil {
			oldest = time.UnixMilli(first)
		}
	}
	return oldest, newest
}

// Turn waits for the turn of a caller's query, at most as long as ctx lasts: few run
// at once, so that they leave room for what is being received.
func (s *Store) Turn(ctx context.Context) (release func(), err error) {
	select {
	case s.turns <- nil:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, promql.ErrQueryTimeout("query queue")
	}
}
