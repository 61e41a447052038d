package meter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry"
	"treq/telemetry/checkpoint"
	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
	"treq/telemetry/understand"
)

// DefaultCheckpointInterval is how often the state is written while records come in.
const DefaultCheckpointInterval = 5 * time.Second

// The classes of doors: that of OTLP, and that of LangSmith's own protocol.
const (
	doorOTLP = 1
	doorRuns = 2
)

// Options are what a Meter needs. All but the last three are required.
type Options struct {
	// Dir is where checkpoints are kept; it must exist.
	Dir     string
	Journal *journal.Journal
	// Rules are how spans are understood.
	Rules       understand.Config
	Instruments *instrument.Instruments
	Reader      *snapshot.Reader
	Reported    *reported.Store
	Logger      *slog.Logger

	// CheckpointInterval is DefaultCheckpointInterval when 0.
	CheckpointInterval time.Duration
	// Now is time.Now when nil.
	Now func() time.Time
}

// Meter counts what the journal admitted. Make one with Open, run it with Run.
type Meter struct {
	opts        Options
	engine      *understand.Engine
	rules       string // identifies Options.Rules
	cursor      *journal.Cursor
	generations *checkpoint.Generations
	sidecars    sidecars
	log         *slog.Logger

	// target is the durable position found at start: until it is counted, the
	// totals are those of the past.
	target journal.Position
	// caughtUp tells that the timers that were due at start have fired too.
	caughtUp atomic.Bool
	counted  atomic.Uint64
	open     atomic.Int64
	failed   atomic.Pointer[telemetry.Error]
	entries  atomic.Pointer[[]understand.EntryCount]

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when counted grows, while somebody waits
	waiting int

	// Of Run's goroutine alone.
	admitted       time.Time
	kept           journal.Position // of the older generation
	lastCheckpoint time.Time
	writing        chan written
	sinceTurn      int       // items counted since others had their turn
	rested         time.Time // when it last let the scheduler look for what has come
}

// Open loads the newest checkpoint and stands where it was written; it counts
// nothing yet. Damaged checkpoints are logged and passed over; one written by a
// newer version is an error, and so is a state that cannot be read.
func Open(_ context.Context, o Options) (*Meter, error) {
	if o.CheckpointInterval == 0 {
		o.CheckpointInterval = DefaultCheckpointInterval
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	engine, err := understand.New(o.Rules, o.Instruments)
	if err != nil {
		return nil, err
	}
	m := &Meter{
		opts:        o,
		rules:       fmt.Sprintf("%x", xxh3.HashString(fmt.Sprintf("%+v", o.Rules))),
		engine:      engine,
		generations: generations(o.Dir),
		log:         o.Logger,
		changed:     make(chan struct{}),
	}
	saved, damaged, err := m.generations.Load()
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	for _, d := range damaged {
		m.log.Error("a checkpoint is damaged and passed over", "error", d)
	}
	if saved == nil && len(damaged) > 0 {
		m.log.Error("no checkpoint can be read: totals start again from the oldest record of the journal")
	}
	from := journal.Position(0)
	if saved != nil {
		c, err := decodeState(saved)
		if err == nil {
			err = m.restore(c)
		}
		if err != nil {
			return nil, err
		}
		from = c.Position
	}
	m.cursor, err = o.Journal.NewCursor("meter", from, true)
	if err != nil {
		return nil, err
	}
	m.sidecars = sidecars{journal: o.Journal, engine: m.engine, log: m.log}
	engine.OnFirstSight(m.sidecars.add)
	if err := m.sidecars.load(from, m.admitted.Add(-o.Rules.Remember)); err != nil {
		m.cursor.Close()
		return nil, err
	}
	m.target = o.Journal.Durable()
	m.kept = m.generations.Oldest()
	m.counted.Store(uint64(from))
	return m, nil
}

func (m *Meter) restore(c *state) error {
	if c.Rules != m.rules {
		m.log.Warn("the rules changed since the last checkpoint: what is counted from here on follows the new ones", "was", c.Rules, "now", m.rules)
	}
	m.admitted = c.Admitted
	err := m.opts.Reader.Restore(c.Totals)
	if err == nil {
		err = m.engine.UnmarshalBinary(c.Engine)
	}
	if err == nil {
		err = m.opts.Instruments.UnmarshalBinary(c.Bounds)
	}
	if err == nil {
		err = m.opts.Reported.UnmarshalBinary(c.Reported)
	}
	if err != nil {
		return fmt.Errorf("restore the checkpoint at %d: %w", c.Position, err)
	}
	m.opts.Instruments.Lock()
	defer m.opts.Instruments.Unlock()
	m.settled()
	return nil
}

// Run counts until ctx is done, then counts what is already durable for at most
// a second, and writes a last checkpoint. It returns nil after a clean end.
func (m *Meter) Run(ctx context.Context) error {
	err := m.count(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = m.drain(time.Second)
	}
	if err != nil {
		m.failed.Store(&telemetry.Error{Kind: telemetry.Unavailable, Message: "counting has stopped", Err: err})
		m.wake()
		return errors.Join(err, m.settle(), m.close())
	}
	return errors.Join(m.settle(), m.checkpoint(), m.settle(), m.close())
}

func (m *Meter) close() error {
	m.cursor.Close()
	return nil
}

func (m *Meter) count(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := m.cursor.TryNext()
		if err != nil {
			return err
		}
		if rec != nil {
			if err := m.take(rec); err != nil {
				return err
			}
		} else if rec, err = m.atTail(); err != nil {
			return err
		} else if rec != nil {
			if err := m.take(rec); err != nil {
				return err
			}
		}
		if err := m.checkpointIfDue(); err != nil {
			return err
		}
		if rec != nil {
			continue
		}
		timer.Reset(m.untilNext())
		select {
		case <-ctx.Done():
		case <-m.cursor.Wake():
		case <-timer.C:
		}
	}
}

func (m *Meter) drain(atMost time.Duration) error {
	deadline := m.opts.Now().Add(atMost)
	for m.opts.Now().Before(deadline) {
		rec, err := m.cursor.TryNext()
		if err != nil || rec == nil {
			return err
		}
		if err := m.take(rec); err != nil {
			return err
		}
	}
	return nil
}

// take counts one record. A record that does not decode was damaged after the
// door checked it: it is logged, and counting goes on behind it.
func (m *Meter) take(rec *journal.Record) error {
	defer rec.Release()
	m.sidecars.pass(rec)
	m.admitted = rec.Admitted
	data, err := rec.Data()
	m.opts.Instruments.Lock()
	m.engine.Advance(rec.Admitted)
	if err == nil {
		err = m.understand(rec, data)
	}
	m.settled()
	m.opts.Instruments.Unlock()
	if rec.Position >= m.target {
		m.caughtUp.Store(true)
	}
	if err != nil {
		m.log.Error("a record of the journal cannot be counted", "position", rec.Position, "error", err)
	}
	if rec.Kind == journal.Posts {
		// Before the position moves: who waits for it must find a new collection.
		m.opts.Reader.Invalidate()
	}
	m.counted.Store(uint64(rec.End))
	m.wake()
	m.yield(rec.Items)
	return nil
}

// turn is how many spans are counted before others have their turn: about a
// millisecond's.
const turn = 512

// restEvery is how long the counting goes on without a rest, and rest how short one is.
const (
	restEvery = 2 * time.Millisecond
	rest      = 20 * time.Microsecond
)

// yield lets others run between records. Behind, the counting never waits for
// anything, and the scheduler would let it go on for ten milliseconds at a time: on few
// processors who asks for a document would wait as long at every step. Who yields is
// ready to go on all the same, and as long as anybody is, the scheduler looks for what
// has come on connections every ten milliseconds only. So it rests at times, but not
// while nobody is answered yet.
func (m *Meter) yield(items uint32) {
	if m.sinceTurn += int(items); m.sinceTurn < turn {
		return
	}
	m.sinceTurn = 0
	if now := time.Now(); m.caughtUp.Load() && now.Sub(m.rested) >= restEvery {
		time.Sleep(rest)
		m.rested = time.Now()
		return
	}
	runtime.Gosched()
}

// settled tells how many spans are open after a group of events.
func (m *Meter) settled() {
	n := m.engine.Open()
	m.open.Store(int64(n))
	m.opts.Instruments.Open(n)
}

func (m *Meter) understand(rec *journal.Record, data []byte) error {
	switch rec.Kind {
	case journal.Traces:
		m.opts.Instruments.Admitted(int64(rec.Items))
		return m.engine.Traces(rec.Admitted, doorOTLP, data)
	case journal.Derived:
		m.opts.Instruments.Admitted(int64(rec.Items))
		return m.engine.Traces(rec.Admitted, doorRuns, data)
	case journal.Runs:
		// What it says is counted when it comes again as spans.
		return nil
	case journal.Logs, journal.Posts:
		return m.engine.Logs(rec.Admitted, data)
	case journal.Metrics:
		return m.opts.Reported.Consume(rec.Admitted, data)
	default:
		return fmt.Errorf("record of unknown kind %d", rec.Kind)
	}
}

// atTail lets timers follow the clock, but never past a record that is admitted
// and not yet readable: a replay fires them at the same place. A record that
// came meanwhile is returned instead.
func (m *Meter) atTail() (*journal.Record, error) {
	safe := m.opts.Journal.SafeTime()
	if rec, err := m.cursor.TryNext(); rec != nil || err != nil {
		return rec, err
	}
	if safe.After(m.admitted) {
		m.opts.Instruments.Lock()
		m.engine.Advance(safe)
		m.settled()
		m.opts.Instruments.Unlock()
		m.admitted = safe
	}
	// A cursor at the tail may stand behind a cut; the tail is counted all the same.
	if p := m.cursor.Position(); uint64(p) > m.counted.Load() {
		m.counted.Store(uint64(p))
		m.wake()
	}
	if m.counted.Load() >= uint64(m.target) {
		m.caughtUp.Store(true)
	}
	entries := m.engine.Entries()
	m.entries.Store(&entries)
	return nil, nil
}

func (m *Meter) untilNext() time.Duration {
	now := m.opts.Now()
	wait := time.Hour
	if next, ok := m.engine.Next(); ok {
		wait = next.Sub(now)
	}
	if m.dirty() {
		wait = min(wait, m.lastCheckpoint.Add(m.opts.CheckpointInterval).Sub(now))
	}
	return max(wait, time.Millisecond)
}
