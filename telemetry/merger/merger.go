package merger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"treq/telemetry/checkpoint"
	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
)

// The defaults of Options.
const (
	DefaultTimeout            = time.Hour
	DefaultOrphanWait         = 5 * time.Minute
	DefaultPendingBytes       = 64 << 20
	DefaultPendingRuns        = 100_000
	DefaultCheckpointInterval = 5 * time.Second
)

// Log is the journal as the merger uses it; *journal.Journal is one.
type Log interface {
	Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error)
	NewCursor(name string, from journal.Position, essential bool) (*journal.Cursor, error)
	Durable() journal.Position
	SafeTime() time.Time
}

// Options are what a Merger needs. Dir, Log and Logger are required; the zero value
// of every other field is its default.
type Options struct {
	// Dir is where checkpoints are kept; it must exist.
	Dir    string
	Log    Log
	Logger *slog.Logger
	// Timeout is how long a run may go on before it counts as one whose end never
	// comes.
	Timeout time.Duration
	// OrphanWait is how long an end waits for the beginning of its run.
	OrphanWait time.Duration
	// PendingBytes and PendingRuns bound what is known of runs that go on. Beyond,
	// the one that would time out next is let go.
	PendingBytes int64
	PendingRuns  int
	// CheckpointInterval is how often the state is written while records come in.
	CheckpointInterval time.Duration
	// Now is time.Now when nil.
	Now func() time.Time
}

func (o *Options) complete() {
	set(&o.Timeout, DefaultTimeout)
	set(&o.OrphanWait, DefaultOrphanWait)
	set(&o.PendingBytes, DefaultPendingBytes)
	set(&o.PendingRuns, DefaultPendingRuns)
	set(&o.CheckpointInterval, DefaultCheckpointInterval)
	if o.Now == nil {
		o.Now = time.Now
	}
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Merger makes spans of runs. Make one with Open, run it with Run. What it shows is
// safe for concurrent use.
type Merger struct {
	o           Options
	log         *slog.Logger
	cursor      *journal.Cursor
	generations *checkpoint.Generations

	mu    sync.Mutex // guards table and leaving against those who look
	table *table
	// leaving is closed when those whose time was up are appended; nil while there are none.
	leaving chan struct{}

	spans   atomic.Uint64
	reached journal.Reached // what came before is taken in, and what ended is appended

	// Of Run's goroutine alone.
	out      outbox
	now      int64            // time of the log
	source   journal.Position // of the last record of runs
	position journal.Position // everything before it is taken in
	target   journal.Position // durable at the start
	before   appended         // behind the checkpoint, by then
	scanner  otlp.Scanner
	stored   journal.Position // of the newest checkpoint
	kept     journal.Position // of the older generation
	last     time.Time        // of the last checkpoint
	refused  time.Time        // when a refusal was last logged
}

// Open loads the newest checkpoint and stands where it was written. Damaged
// checkpoints are logged and passed over; one written by a newer version is an error.
func Open(o Options) (*Merger, error) {
	o.complete()
	m := &Merger{o: o, log: o.Logger, generations: generations(o.Dir)}
	saved, damaged, err := m.generations.Load()
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint of runs: %w", err)
	}
	for _, d := range damaged {
		m.log.Error("a checkpoint of runs is damaged and passed over", "error", d)
	}
	l := limits{timeout: o.Timeout, orphan: o.OrphanWait, bytes: o.PendingBytes, runs: o.PendingRuns}
	m.table = newTable(l, m.ended)
	if saved != nil {
		if m.table, err = unmarshal(saved.State[8:], l, m.ended); err != nil {
			return nil, fmt.Errorf("restore the runs at %d: %w", saved.Position, err)
		}
		m.position, m.now = saved.Position, int64(binary.LittleEndian.Uint64(saved.State))
	}
	m.stored, m.kept = m.position, m.generations.Oldest()
	m.target = o.Log.Durable()
	m.cursor, err = o.Log.NewCursor("runs-merger", m.position, true)
	return m, err
}

// Run merges until ctx is done, then takes in what is already durable for at most
// a second, and writes a last checkpoint. It returns nil after a clean end.
func (m *Merger) Run(ctx context.Context) error {
	defer m.cursor.Close()
	if err := m.before.since(m.o.Log, m.position, m.target); err != nil {
		return err
	}
	err := m.follow(ctx)
	if ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := m.drain(last); err != nil {
		if last.Err() != nil {
			return nil // the journal has no room: what is left comes again at the next start
		}
		return err
	}
	return m.checkpoint()
}

// Await returns once what is known of runs by the entries before a position is shown:
// as spans in the journal, or by Going. Else it gives ctx's error. Safe for concurrent use.
func (m *Merger) Await(ctx context.Context, pos journal.Position) error {
	if err := m.reached.Await(ctx, pos); err != nil {
		return err
	}
	m.mu.Lock()
	leaving := m.leaving
	m.mu.Unlock()
	if leaving == nil {
		return nil
	}
	select {
	case <-leaving:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Merger) follow(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := m.drain(ctx); err != nil {
			return err
		}
		if err := m.atTail(ctx); err != nil {
			return err
		}
		if m.position != m.kept && m.o.Now().Sub(m.last) >= m.o.CheckpointInterval {
			if err := m.checkpoint(); err != nil {
				m.log.Error("the checkpoint of runs could not be written; it is tried again", "error", err)
			}
		}
		timer.Reset(m.untilNext())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.cursor.Wake():
		case <-timer.C:
		}
	}
}

// drain takes in what is durable and appends what has ended.
func (m *Merger) drain(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := m.cursor.TryNext()
		if err != nil {
			return err
		}
		if rec == nil {
			m.mu.Lock()
			m.passed(m.cursor.Position())
			m.mu.Unlock()
			err := m.flush(ctx)
			m.reach()
			return err
		}
		m.take(rec)
		if m.out.full() {
			if err := m.flush(ctx); err != nil {
				return err
			}
		}
		m.reach()
		if m.out.empty() && m.position-m.stored > farBehind && m.position != m.kept {
			// What is read again at a start stays short, whatever comes in.
			if err := m.checkpoint(); err != nil {
				m.log.Error("the checkpoint of runs could not be written; it is tried again", "error", err)
				m.stored = m.position
			}
		}
	}
}

// reach tells those who wait how far runs are shown.
func (m *Merger) reach() {
	if m.out.empty() {
		m.reached.Advance(m.position)
	}
}

// farBehind is how much is read before a checkpoint is due although its time is not.
const farBehind = 64 << 20

func (m *Merger) take(rec *journal.Record) {
	defer rec.Release()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance(rec.Admitted.UnixNano())
	switch rec.Kind {
	case journal.Runs:
		m.source = rec.Position
		if err := m.merge(rec); err != nil {
			m.log.Error("a record of runs cannot be read", "position", rec.Position, "error", err)
		}
	case journal.Traces:
		// The exporter compresses only where it is told to: what is compressed is not
		// worth decoding unless runs are known to come twice.
		if rec.Encoding != journal.Identity && !m.table.twins.expected(m.now) {
			break
		}
		// What does not decode is told of by whoever counts it.
		if data, err := rec.Data(); err == nil && ofExporter(data) {
			_ = m.scanner.Traces(data, &sightings{m.table, m.now})
		}
	}
	m.passed(rec.End)
}

// merge takes in a record that the door has checked: one that does not read was
// damaged since.
func (m *Merger) merge(rec *journal.Record) error {
	data, err := rec.Data()
	if err != nil {
		return err
	}
	request, err := langsmith.Reread(data)
	if err != nil {
		return err
	}
	for i := range request.Ops {
		m.table.take(&request.Ops[i], rec.Tenant, m.now)
	}
	for i := range request.Feedback {
		before := len(m.out.judgements)
		m.out.judge(&request.Feedback[i], rec.Position, rec.Admitted)
		if _, known := m.before.judgements[m.out.judgements[before].hash]; known {
			m.out.judgements = m.out.judgements[:before]
		}
	}
	return nil
}

func (m *Merger) advance(now int64) {
	if now > m.now {
		m.now = now
		m.table.advance(now)
	}
}

// ended is told by the table each run that is to become a span.
func (m *Merger) ended(e ended) {
	if _, known := m.before.runs[e.run.ID]; known {
		return
	}
	m.out.add(&e, m.source)
}

// passed notes that everything before a position is taken in. Behind what was
// durable at the start nothing can have been appended before. mu is held.
func (m *Merger) passed(end journal.Position) {
	m.position = max(m.position, end)
	if m.before.runs == nil || m.position < m.target {
		return
	}
	// Under shorter times a run that was let go before might be waited for again.
	for id := range m.before.runs {
		if w := m.table.runs[id]; w != nil {
			m.table.drop(w)
		}
	}
	m.before = appended{}
}

// atTail lets time follow the clock, but not past a record that is admitted and
// not yet readable.
func (m *Merger) atTail(ctx context.Context) error {
	safe := m.o.Log.SafeTime()
	if m.cursor.Position() != m.position || m.o.Log.Durable() != m.position {
		return nil // something came meanwhile
	}
	m.mu.Lock()
	m.advance(safe.UnixNano())
	if !m.out.empty() {
		m.leaving = make(chan struct{})
	}
	m.mu.Unlock()
	err := m.flush(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaving != nil {
		close(m.leaving)
		m.leaving = nil
	}
	return err
}

func (m *Merger) untilNext() time.Duration {
	now := m.o.Now()
	wait := time.Hour
	if due, ok := m.table.next(); ok {
		wait = time.Unix(0, due).Sub(now)
	}
	if m.position != m.kept {
		wait = min(wait, m.last.Add(m.o.CheckpointInterval).Sub(now))
	}
	return max(wait, time.Millisecond)
}

// checkpoint writes the state. The outbox is empty, so nothing is lost between the
// state and what was appended.
func (m *Merger) checkpoint() error {
	m.last = m.o.Now()
	if !m.out.empty() {
		return errors.New("runs that have ended are not appended yet")
	}
	keep, err := store(m.generations, m.position, m.now, m.table.marshal())
	if err != nil {
		return err
	}
	m.stored, m.kept = m.position, keep
	m.cursor.Commit(keep)
	return nil
}
