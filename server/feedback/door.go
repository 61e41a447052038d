package feedback

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

const (
	// countWait is how long Record waits for the meter.
	countWait = 10 * time.Second
	// mostKnown bounds the judgements that are known to be kept; the oldest go first.
	mostKnown = 100_000
	// door names where the records came in.
	door = "feedback"
)

// Log is where judgements are kept. Append returns once the entry is durable.
type Log interface {
	Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error)
}

// Meter counts what the log admitted.
type Meter interface {
	// WaitCounted returns nil once everything before a position is counted, else
	// the error of ctx.
	WaitCounted(ctx context.Context, end journal.Position) error
	// Ready is nil when the replay of the log is done.
	Ready() error
}

// Options are what a Door needs; Log and Meter are required, Kept where judgements are
// read, changed or withdrawn.
type Options struct {
	Log   Log
	Meter Meter
	Kept  Kept
	// Now is time.Now when nil.
	Now func() time.Time
}

// Door takes judgements. Safe for concurrent use.
type Door struct {
	o Options

	// changing keeps changes apart: each begins at what the one before left.
	changing sync.Mutex

	mu    sync.Mutex
	known map[string]last
	queue []string
}

// last is what was kept last of a run, key and source.
type last struct {
	said judgement.Judgement // without what Same does not look at
	end  journal.Position
}

// New makes a Door.
func New(o Options) *Door {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Door{o: o, known: make(map[string]last)}
}

// Receipt is the answer to a judgement.
type Receipt struct {
	// ID is the judgement's, a UUID.
	ID string
	// Repeated tells that the run's last judgement of this key and source was this one
	// and said the same: nothing was kept again, and nothing counts again.
	Repeated bool
	// Counted tells that every document shows it. A judgement that is durable and
	// not counted, as in a replay, is not: it must not be sent again.
	Counted bool
}

// Record keeps a judgement and returns when it is durable and counted. Without an ID
// it gets the one that belongs to its run, key and source, without a key
// judgement.DefaultKey, without a source judgement.FromAPI, without a time the
// present. The run need not be known. The same again counts once, a changed vote is
// a new judgement. The error is the log's: nothing was kept then.
func (d *Door) Record(ctx context.Context, j judgement.Judgement) (Receipt, error) {
	j = d.complete(j)
	r := Receipt{ID: j.ID}
	end, repeated := d.repeats(&j)
	if r.Repeated = repeated; !repeated {
		receipt, err := d.keep(ctx, j)
		if err != nil {
			return Receipt{}, err
		}
		end = receipt.End
	}
	r.Counted = d.counted(ctx, end)
	return r, nil
}

// Keep keeps judgements that came in one request as one entry, and returns when
// they are durable: for doors that answer before anything counts. What Record says
// of the parts of a judgement holds here too. Judgements that repeat the last of
// their kind are left out.
func (d *Door) Keep(ctx context.Context, list ...judgement.Judgement) error {
	fresh := make([]judgement.Judgement, 0, len(list))
	for _, j := range list {
		j = d.complete(j)
		if _, repeated := d.repeats(&j); !repeated {
			fresh = append(fresh, j)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	_, err := d.keep(ctx, fresh...)
	return err
}

func (d *Door) complete(j judgement.Judgement) judgement.Judgement {
	if j.Key == "" {
		j.Key = judgement.DefaultKey
	}
	if j.Source == "" {
		j.Source = judgement.FromAPI
	}
	if j.Time.IsZero() {
		j.Time = d.o.Now()
	}
	switch {
	case j.ID != "":
	case j.RunID == "":
		j.ID = uuid.NewString() // of no run: no judgement takes its place
	default:
		j.ID = judgement.ID(j.RunID, j.Key, j.Source)
	}
	return j
}

// repeats tells whether the last judgement of this slot was this one and said the
// same, and up to where it has to be counted.
func (d *Door) repeats(j *judgement.Judgement) (journal.Position, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, ok := d.known[j.Slot()]
	return was.end, ok && was.said.ID == j.ID && was.said.Same(j)
}

func (d *Door) keep(ctx context.Context, list ...judgement.Judgement) (journal.Receipt, error) {
	var body []byte
	for i := range list {
		body = judgement.Append(body, &list[i])
	}
	receipt, err := d.o.Log.Append(ctx, &journal.Entry{
		Kind: journal.Posts, Door: door, Items: uint32(len(list)), Body: body,
	})
	if err != nil {
		return receipt, err
	}
	for i := range list {
		d.learn(&list[i], receipt.End)
	}
	return receipt, nil
}

// learn notes what is durable. Of two that were sent at once the later in the log
// is the last.
func (d *Door) learn(j *judgement.Judgement, end journal.Position) {
	key := j.Slot()
	d.mu.Lock()
	defer d.mu.Unlock()
	was, known := d.known[key]
	if known && was.end > end {
		return
	}
	d.known[key] = last{judgement.Judgement{ID: j.ID, Deleted: j.Deleted, Scored: j.Scored, Score: j.Score, Value: j.Value, Comment: j.Comment}, end}
	if known {
		return
	}
	d.queue = append(d.queue, key)
	if len(d.queue) > mostKnown {
		delete(d.known, d.queue[0])
		d.queue = d.queue[1:]
	}
}
