package runs

import (
	"context"
	"time"

	"treq/telemetry/journal"
)

// tidyEvery is how often is looked for what the journal has let go.
const tidyEvery = time.Minute

// tend brings judged runs into the list, and lets go what the journal has let go,
// until ctx is done. It waits for the rebuild: a run that both read would be counted twice.
func (v *Viewer) tend(ctx context.Context, rebuilt <-chan struct{}) {
	select {
	case <-ctx.Done():
		return
	case <-rebuilt:
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	tidied := v.o.Now()
	for {
		now := v.o.Now()
		if now.Sub(tidied) >= tidyEvery {
			v.tidy()
			tidied = now
		}
		next, due := v.pulls.next(now)
		if next != nil {
			if !v.pullOne(ctx, next) {
				return
			}
			continue
		}
		wait := tidied.Add(tidyEvery).Sub(now)
		if !due.IsZero() {
			wait = min(wait, due.Sub(now))
		}
		timer.Reset(max(wait, time.Millisecond))
		select {
		case <-ctx.Done():
			return
		case <-v.pulls.wake:
		case <-timer.C:
		}
	}
}

// pullOne looks for one judged run; false if ctx ended.
func (v *Viewer) pullOne(ctx context.Context, one *pull) bool {
	known, read, err := v.bring(ctx, one.run)
	if err != nil && ctx.Err() == nil {
		v.log.Warn("a judged run cannot be read for the list; it is tried again", "error", err)
	}
	if known && err == nil {
		v.pulls.done(one)
	} else {
		v.pulls.later(one, v.o.Now())
	}
	if read && v.o.Rate > 0 {
		return pause(ctx, time.Duration(float64(time.Second)/(v.o.Rate*pullShare)))
	}
	return ctx.Err() == nil
}

// tidy gives back the memory of what has left the journal.
func (v *Viewer) tidy() {
	segments := v.o.Journal.Segments()
	if len(segments) == 0 {
		return
	}
	floor := segments[0].Base
	v.index.retire(floor, segments[0].First)
	v.rows.retire(floor)
	v.judged.retire(floor)
}

// retire lets pages go that know of nothing above a position, the journal's oldest.
func (x *index) retire(floor journal.Position, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for n < len(x.pages.row) && x.pages.row[n].end <= floor {
		n++
	}
	if n > 0 {
		x.pages.row = append([]*page(nil), x.pages.row[n:]...)
	}
	if x.floor < floor {
		x.floor, x.floorTime = floor, at
	}
}

// retire lets the oldest chunks go of which every run has left the journal.
func (t *rows) retire(floor journal.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	gone := func(c *chunk) bool {
		for i := range c.rows {
			if !c.rows[i].flags.has(isDead) && c.rows[i].heard >= floor {
				return false
			}
		}
		return true
	}
	for len(t.chunks) > 0 && gone(t.chunks[0]) {
		t.dropOldest()
	}
}

// retire forgets judgements that have left the journal.
func (x *judged) retire(floor journal.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for n < len(x.queue) && x.queue[n].pos < floor {
		n++
	}
	if n > 0 {
		x.forget(n)
		x.queue = append([]judgedAt(nil), x.queue...)
	}
}
