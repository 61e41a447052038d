package runs

import (
	"context"
	"slices"
	"sync"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

const (
	// pullShare is how many judged runs are read for the list, as a part of
	// Options.Rate: people judge less often than programs ask.
	pullShare = 0.1
	// mostPulls bounds the judged runs that wait for it.
	mostPulls = 10_000
	// pullFor is how long a run is waited for that is judged and not known: many are
	// judged before their spans are sent.
	pullFor = 10 * time.Minute
	// pullAgain is the first pause between two looks for such a run; each is twice the
	// one before.
	pullAgain = 5 * time.Second
	// mostPulled bounds the bytes of spans of one such run.
	mostPulled = 16 << 20
	// pullTries is how often a run is read that grows meanwhile.
	pullTries = 3
)

// pulls are the runs that were judged, to be brought into the list if the budget
// left them out or they had to go: those judged badly first. Safe for concurrent use.
type pulls struct {
	mu     sync.Mutex
	queue  []*pull // oldest first
	queued map[understand.RunID]*pull
	wake   chan struct{} // holds one element when something was added
}

// pull is one run that waits.
type pull struct {
	run        understand.RunID
	negative   bool
	due, until time.Time
	pause      time.Duration
}

func newPulls() *pulls {
	return &pulls{queued: map[understand.RunID]*pull{}, wake: make(chan struct{}, 1)}
}

// add takes what was judged. Where too many wait, those that were judged well go
// first, then the oldest.
func (p *pulls) add(list []judgedAt, now time.Time) {
	if len(list) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, j := range list {
		negative := j.scored && negative(j.score)
		if known := p.queued[j.run]; known != nil {
			known.negative = known.negative || negative
			continue
		}
		if len(p.queue) == mostPulls {
			p.remove(p.queue[max(0, slices.IndexFunc(p.queue, func(q *pull) bool { return !q.negative }))])
		}
		one := &pull{run: j.run, negative: negative, due: now, until: now.Add(pullFor), pause: pullAgain}
		p.queue = append(p.queue, one)
		p.queued[j.run] = one
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// next gives what is to be looked for now, nil if nothing is, and when something
// will be; a zero time is never.
func (p *pulls) next(now time.Time) (best *pull, due time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queue {
		if q.due.After(now) {
			if due.IsZero() || q.due.Before(due) {
				due = q.due
			}
			continue
		}
		if best == nil || q.negative && !best.negative {
			best = q
		}
	}
	return best, due
}

// done takes one away; later has it wait, as long as it may.
func (p *pulls) done(one *pull) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(one)
}

func (p *pulls) later(one *pull, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one.due = now.Add(one.pause); one.due.After(one.until) {
		p.remove(one)
	}
	one.pause *= 2
}

// remove takes one away. mu is held.
func (p *pulls) remove(one *pull) {
	if i := slices.Index(p.queue, one); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		delete(p.queued, one.run)
	}
}

// bring reads a judged run for the list, unless it is there. known is false where the
// index does not know it yet; read tells that the journal was read.
func (v *Viewer) bring(ctx context.Context, run understand.RunID) (known, read bool, err error) {
	w := wantRun(run)
	positions := v.index.find(mostRecords, w.ids()...)
	if len(positions) == 0 {
		return false, false, nil
	}
	if !v.rows.lacks() || v.rows.has(run) {
		return true, false, nil
	}
	var f found
	err = v.at(ctx, positions, func(_ *journal.Record, body []byte) bool {
		f.take(&w, body)
		return true
	})
	if err != nil || !f.any || v.rows.has(f.trace) {
		return f.any, true, err
	}
	for range pullTries {
		whole, err := v.bringTrace(ctx, f.trace)
		if whole || err != nil {
			return true, true, err
		}
	}
	return true, true, nil
}

// bringTrace reads a trace into a row; false if some of it came meanwhile.
func (v *Viewer) bringTrace(ctx context.Context, trace [16]byte) (whole bool, err error) {
	// Another engine for each: one that has read a run before would count nothing of it.
	x, err := newRowReader(v.rows, v.priced(), -1)
	if err != nil {
		return false, err
	}
	positions := v.recordsOf(trace)
	var records []*journal.Record
	var bodies [][]byte
	room := mostPulled
	err = v.at(ctx, slices.Clone(positions), func(rec *journal.Record, body []byte) bool {
		part := sliceOf(body, trace)
		records = append(records, &journal.Record{Kind: rec.Kind, Position: rec.Position, Admitted: rec.Admitted})
		bodies = append(bodies, part)
		room -= len(part)
		return room > 0
	})
	if err != nil {
		return false, err
	}
	v.rows.mu.Lock()
	defer v.rows.mu.Unlock()
	// What the tail has indexed and not read yet it passes over, since the row has heard of it.
	if !slices.Equal(positions, v.recordsOf(trace)) {
		return false, nil
	}
	if v.rows.known(v.rows.key(&trace)) {
		return true, nil
	}
	for i, rec := range records {
		x.readInto(rec, bodies[i], true)
	}
	if r, _ := v.rows.find(&trace); r != nil {
		v.rows.left -= v.lister.budget.forget(v.rows.key(&trace))
	}
	return true, nil
}

// recordsOf gives where the index knows some of a trace, sorted.
func (v *Viewer) recordsOf(trace [16]byte) []journal.Position {
	positions := v.index.find(mostRecords, trace[:])
	slices.Sort(positions)
	return slices.Compact(positions)
}

// leftOut takes over which traces another reader of the same rows left out.
func (x *rowReader) leftOut(by *budget) {
	x.rows.mu.Lock()
	defer x.rows.mu.Unlock()
	for _, key := range by.skipped {
		if key != 0 {
			x.budget.skip(key)
		}
	}
}
