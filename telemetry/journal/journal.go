// Package journal is the durable log that everything admitted goes through, and
// the cursors that read it. What it promises is specified in docs/architecture.md,
// section 2.
//
// One goroutine writes. It takes all entries that wait, writes them with one call,
// makes them durable with one fsync, and only then answers and shows them to
// readers. A segment is never appended to after a failure or a restart: a new one
// begins, whose header says where the one before ends, and nothing behind that end
// is read again. So recovery changes no file.
package journal

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"treq/telemetry"
)

// Journal is an open journal. All methods are safe for concurrent use.
type Journal struct {
	dir string
	o   Options
	fs  FS
	log *slog.Logger

	lock     io.Closer
	kick     chan struct{} // capacity 1: entries wait
	advanced chan struct{} // capacity 1: a reader that is awaited moved
	stopping chan struct{} // closed by Close
	sealing  chan Position // bases of segments that are to be sealed if they are active
	workers  sync.WaitGroup
	openEnd  Position // end of what Open found

	// sidecars serialises changes of sidecar and quarantine files with the deletion
	// of their segments. Taken before mu.
	sidecars sync.Mutex
	damaged  map[Position]bool // starts of the damages already counted

	// sharing lets one reader at a time read a large record. Taken before mu.
	sharing sync.Mutex

	mu       sync.Mutex
	closed   bool
	closeErr error
	clock    clock
	segments []*segment // by base; the last may be active
	durable  Position
	seq      uint64
	items    uint64
	bytes    int64 // of all files
	// inflight is the admission time of what is written and not yet readable, 0: nothing.
	inflight int64
	queue    []*request
	queued   int64 // bytes in queue
	pending  map[[16]byte]*request
	horizon  *horizon
	spare    spare
	ring     ring
	shared   shared
	cursors  []*Cursor
	awaited  bool // a commit waits for essential readers to move
	refusing bool // the last batch was not stored, or not all of it
	refusals refusals
	stats    Stats

	// The writer goroutine alone uses what follows.
	active  *segment // nil: none yet, or the last one failed or was sealed
	file    File     // of active
	cooling cooling  // of file, with Fsync
	doomed  []string // files whose removal failed
	flusher flusher
	// untrimmed tells that segments may have zeros behind them that a crash left.
	untrimmed bool
}

// maintenance is how often age limits are looked at.
const maintenance = time.Minute

// Open opens the journal in dir, which it creates (mode 0700), and recovers what a
// crash left. The directory belongs to one process: another one's is waited for as
// Options.LockWait says, then an error of kind Unavailable names dir and the
// process. A directory written by a newer format is an error of kind Unsupported.
// ctx bounds the waiting and the recovery, not the life of the journal. The caller
// has to Close.
//
// Cursors should be made before the first Append: retention knows only the cursors
// there are.
func Open(ctx context.Context, dir string, o Options) (*Journal, error) {
	o = o.withDefaults()
	j := &Journal{
		dir: dir, o: o, fs: o.FS, log: o.Logger,
		kick:     make(chan struct{}, 1),
		advanced: make(chan struct{}, 1),
		stopping: make(chan struct{}),
		sealing:  make(chan Position),
		damaged:  make(map[Position]bool),
		clock:    clock{now: o.Now},
		pending:  make(map[[16]byte]*request),
		horizon:  newHorizon(int64(o.Horizon), o.HorizonBytes),
		shared:   make(shared),
	}
	if err := j.fs.MkdirAll(dir); err != nil {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "cannot make data directory " + dir, Err: err}
	}
	if err := j.fs.SyncDir(filepath.Dir(dir)); err != nil {
		// Its name would be lost in a power cut soon after the first start ever.
		j.log.Warn("cannot make the name of the data directory durable", "dir", dir, "error", err)
	}
	lock, err := j.acquire(ctx)
	if err != nil {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "cannot have data directory " + dir + " for this process alone", Err: err}
	}
	j.lock = lock
	// An unknown size only means that the defaults don't depend on it.
	total, _, _ := j.fs.Space(dir)
	j.o = o.withSpace(total)
	j.ring.most = j.o.RingBytes
	j.spare = j.o.newSpare()
	if err := j.recover(ctx); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if j.o.Ack == Memory {
		j.flusher.start(j)
	}
	j.workers.Go(j.run)
	return j, nil
}

// acquire takes the directory's lock, trying again until LockWait is over.
func (j *Journal) acquire(ctx context.Context) (io.Closer, error) {
	const again = 100 * time.Millisecond
	for wait := j.o.LockWait; ; wait -= again {
		lock, err := j.fs.Lock(j.path("lock"))
		held, ok := errors.AsType[*LockedError](err)
		if err == nil || !ok || wait <= 0 {
			return lock, err
		}
		if wait == j.o.LockWait {
			j.log.Warn("waiting for another process to leave the data directory", "dir", j.dir, "held", held.Error(), "for", wait.String())
		}
		pause := time.NewTimer(min(again, wait))
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, errors.Join(err, ctx.Err())
		case <-pause.C:
		}
	}
}

// Durable gives the end of the last readable record.
func (j *Journal) Durable() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.durable
}

// SafeTime gives a time that never decreases, such that no record that is not yet
// readable will have an earlier Admitted. A reader that has passed Durable, taken
// after SafeTime, may act as if all until then were told.
func (j *Journal) SafeTime() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.inflight != 0 {
		return instant(j.inflight)
	}
	return instant(j.clock.tick())
}

// Segments describes the live segments by increasing base.
func (j *Journal) Segments() []Segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Segment, len(j.segments))
	for i, s := range j.segments {
		out[i] = s.describe()
	}
	return out
}

// Close finishes the appends that wait, makes everything durable, wakes all readers
// and lets the directory go. What comes later is refused with kind Unavailable.
// Records that readers still hold stay valid. It may be called more than once.
func (j *Journal) Close() error {
	j.mu.Lock()
	first := !j.closed
	if first {
		j.closed = true
		close(j.stopping)
	}
	j.mu.Unlock()
	j.workers.Wait()
	if !first {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.closeErr
	}
	j.giveUpSpare()
	j.mu.Lock()
	evicted := j.ring.drain()
	cursors := j.cursors
	j.mu.Unlock()
	releaseAll(evicted)
	for _, c := range cursors {
		c.notify()
	}
	err := j.lock.Close()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closeErr = errors.Join(j.closeErr, err)
	return j.closeErr
}

func errClosed() error {
	return telemetry.Errorf(telemetry.Unavailable, "the journal is closed")
}

func (j *Journal) path(name string) string { return filepath.Join(j.dir, name) }

func releaseAll(records []*Record) {
	for _, r := range records {
		r.Release()
	}
}
