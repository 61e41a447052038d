package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

const (
	// mostItems bounds an outbox; when it is full the rest waits in the journal.
	mostItems = 1000
	// stale is how long a judgement waits for its run before a full outbox lets it go.
	stale = 10 * time.Minute
	// inFlight is how many requests run at once. Judgements of one id never do.
	inFlight = 4
	// saveEvery and passEvery are how often the state is written while judgements, or
	// only other records, come.
	saveEvery = time.Second
	passEvery = 30 * time.Second
	// mostTold bounds the ids that are known to have been sent.
	mostTold = 10_000
)

// outbox is what one sink is to be told.
type outbox struct {
	sink     Sink
	words    words
	client   *client
	resolver Resolver
	giveUp   time.Duration
	log      *slog.Logger
	ctx      context.Context // of the requests
	stopping <-chan struct{}
	path     string
	cursor   Cursor

	// Of read's goroutine alone: judgements of the record up to heldTo, for which
	// there was no room yet.
	held   []judgement.Judgement
	heldTo journal.Position

	mu       sync.Mutex
	running  bool
	position journal.Position // read up to here
	counts   counts
	items    map[string]*item // by the judgement's id
	order    int64
	flying   int
	gate     gate
	told     map[string]bool // ids that the sink has
	toldLine []string
	dirty    bool
	saved    time.Time
	savedAt  journal.Position
	changed  chan struct{} // one signal: something is to be sent, or there is room
	room     chan struct{} // one signal for the reader
}

func newOutbox(ctx context.Context, s Sink, o *Options, stopping <-chan struct{}) (*outbox, error) {
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	b := &outbox{
		sink: s, resolver: o.Resolver, giveUp: o.GiveUp, log: o.Logger.With("sink", s.Name), ctx: ctx, stopping: stopping,
		path:  filepath.Join(o.Dir, "sinks", s.Name+".feedback.json"),
		items: make(map[string]*item), told: make(map[string]bool),
		gate:    gate{random: o.Random, state: Running},
		changed: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	b.client = newClient(s, o)
	b.words = b.client.words()
	known, err := loadState(b.path)
	if errors.Is(err, errDamaged) {
		b.log.Warn("the state of the sink's judgements is damaged and set aside: it is told again of all that the journal still holds", "file", b.path)
		err = os.Rename(b.path, b.path+".damaged")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.path, err)
	}
	b.position, b.savedAt, b.counts = known.Position, known.Position, known.Counts
	for _, it := range known.Items {
		b.order++
		it.order = b.order
		b.items[it.Judgement.ID] = it
	}
	b.cursor, err = o.Open("feedback:"+s.Name, b.position)
	return b, err
}

// add takes a judgement that was read. One of the same id that waits is overtaken.
func (b *outbox) add(j judgement.Judgement, now time.Time) {
	b.counts.Read++
	b.dirty = true
	if it := b.items[j.ID]; it != nil {
		b.counts.Replaced++
		*it = item{Judgement: j, Since: now, flying: it.flying, version: it.version + 1, order: it.order}
		return
	}
	b.order++
	b.items[j.ID] = &item{Judgement: j, Since: now, order: b.order}
}

// next gives a judgement whose time has come, in the order they were read, and how
// long until the next one's has; 0 where only a change can bring one.
func (b *outbox) next(now time.Time) (it *item, wait time.Duration) {
	if wait = b.gate.until.Sub(now); wait > 0 {
		return nil, wait
	}
	wait = 0
	for _, c := range b.items {
		switch d := c.due.Sub(now); {
		case c.flying:
		case d > 0:
			if wait == 0 || d < wait {
				wait = d
			}
		case it == nil || c.order < it.order:
			it = c
		}
	}
	if it != nil && (b.flying >= inFlight || b.flying > 0 && b.gate.failures > 0) {
		return nil, 0 // an answer comes first
	}
	return it, wait
}

// settle is what became of an attempt.
func (b *outbox) settle(it *item, version int, out outcome) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.signal()
	b.flying--
	it.flying = false
	overtaken := it.version != version
	switch out.verdict {
	case taken:
		b.gate.open()
		b.gate.lastGood = now
		b.know(it.Judgement.ID)
		if !overtaken {
			b.counts.Sent++
			b.drop(it)
			return
		}
		// The one that was sent was counted as replaced when the other came.
	case again:
		b.counts.Retried++
		if b.ctx.Err() == nil {
			b.notice(out, Retrying)
			b.gate.shut(now, Retrying, out.after, out.reason)
		}
	case paused:
		b.counts.Retried++
		b.notice(out, Paused)
		b.gate.shut(now, Paused, out.after, out.reason)
	case unknownRun:
		b.answered(out, now)
		if overtaken {
			break
		}
		b.counts.Retried++
		if now.Sub(it.Since) >= b.giveUp {
			b.bury(it, out)
			return
		}
		it.due = now.Add(b.gate.backoff(it.Tries, mostRunBackoff))
		it.Tries++
		it.ForRun = true
	case refused:
		b.answered(out, now)
		if !overtaken {
			b.bury(it, out)
			return
		}
	}
	b.dirty = true
}

// answered notes a failure that is one judgement's own: the sink, if it was asked,
// gets on. mu is held.
func (b *outbox) answered(out outcome, now time.Time) {
	if out.status != 0 {
		b.gate.open()
	}
	b.gate.note(now, out.reason)
}

// bury writes a judgement to the dead letters. If that fails it stays, and is tried
// again: nothing is dropped for want of a place to put it. mu is held.
func (b *outbox) bury(it *item, out outcome) {
	b.dirty = true
	err := writeDead(b.path[:len(b.path)-len(".json")]+".dead", deadLetter{time.Now().UTC(), out.reason, out.status, it.Judgement})
	if err != nil {
		it.due = time.Now().Add(maxBackoff)
		b.gate.note(time.Now(), err.Error())
		return
	}
	b.log.Warn("a judgement that the sink does not take is in the dead letters", "run", it.Judgement.RunID, "key", it.Judgement.Key, "reason", out.reason)
	b.counts.DeadLettered++
	b.drop(it)
}

func (b *outbox) drop(it *item) {
	delete(b.items, it.Judgement.ID)
	b.dirty = true
	select {
	case b.room <- struct{}{}:
	default:
	}
}

// full tells whether nothing more may be read, after making room by what has waited
// long for a run that nobody knows: that must not keep out what can be sent. mu is held.
func (b *outbox) full(now time.Time) bool {
	if len(b.items) < mostItems {
		return false
	}
	var oldest *item
	for _, it := range b.items {
		if it.ForRun && !it.flying && now.Sub(it.Since) >= stale && (oldest == nil || it.Since.Before(oldest.Since)) {
			oldest = it
		}
	}
	if oldest != nil {
		b.bury(oldest, outcome{reason: "its run is not known, and others wait"})
	}
	return len(b.items) >= mostItems
}

// know notes that the sink has a judgement of this id. mu is held.
func (b *outbox) know(id string) {
	if b.told[id] {
		return
	}
	b.told[id] = true
	if b.toldLine = append(b.toldLine, id); len(b.toldLine) > mostTold {
		delete(b.told, b.toldLine[0])
		b.toldLine = b.toldLine[1:]
	}
}

func (b *outbox) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// notice logs a change of state. mu is held.
func (b *outbox) notice(out outcome, is State) {
	switch {
	case b.gate.state == is:
	case is == Paused:
		b.log.Error("the sink refuses judgements; they are kept until that is mended", "reason", out.reason)
	default:
		b.log.Warn("the sink takes no judgements now; they are kept and sent later", "reason", out.reason)
	}
}

// snapshot gives what is to be written, nil if there is nothing new. mu is held.
func (b *outbox) snapshot(now time.Time, last bool) *state {
	due := b.dirty && now.Sub(b.saved) >= saveEvery || b.position > b.savedAt && now.Sub(b.saved) >= passEvery
	if !due && !(last && (b.dirty || b.position > b.savedAt)) {
		return nil
	}
	s := &state{Position: b.position, Counts: b.counts, Items: make([]*item, 0, len(b.items))}
	for _, it := range b.items {
		copied := *it
		s.Items = append(s.Items, &copied)
	}
	slices.SortFunc(s.Items, func(x, y *item) int { return int(x.order - y.order) })
	b.dirty, b.saved = false, now
	return s
}

// save writes the state if that is due, or at the end.
func (b *outbox) save(last bool) error {
	b.mu.Lock()
	s := b.snapshot(time.Now(), last)
	b.mu.Unlock()
	if s == nil {
		return nil
	}
	if err := s.save(b.path); err != nil {
		b.mu.Lock()
		b.dirty = true
		b.gate.note(time.Now(), err.Error())
		b.mu.Unlock()
		return err
	}
	b.mu.Lock()
	b.savedAt = s.Position
	b.mu.Unlock()
	b.cursor.Commit(s.Position)
	return nil
}

func (b *outbox) close() error {
	err := b.save(true)
	b.cursor.Close()
	return err
}
