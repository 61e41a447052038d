package runs

import (
	"context"
	"time"

	"treq/telemetry/journal"
)

const (
	// again is the pause after the disk refused a reading.
	again = time.Second
	// rebuildBytes bounds how much journal is read for the index after a start.
	rebuildBytes = 1 << 30
	// stretch is how much of it is read between two pauses.
	stretch = 1 << 20
)

// follow indexes what comes, until ctx is done.
func (v *Viewer) follow(ctx context.Context) {
	defer v.tail.Close()
	for {
		rec, err := v.tail.TryNext()
		if rec != nil {
			body, err := rec.Data()
			if err != nil {
				body = nil // the record says nothing, and is passed
			}
			said := in(rec, body)
			v.judged.add(said) // before the index says that it has passed
			v.index.add(rec, body, &v.lister.groups)
			v.lister.take(rec, body)
			v.index.reached.Advance(rec.End)
			v.pulls.add(said, v.o.Now())
			rec.Release()
			continue
		}
		if err == nil {
			v.index.reached.Advance(v.tail.Position())
		} else if ctx.Err() == nil {
			v.log.Warn("the index of runs cannot read the journal; it tries again", "error", err)
			if !pause(ctx, again) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-v.tail.Wake():
		}
	}
}

// rebuild indexes what was in the journal at the start, the newest segments first,
// as far as there is room. It takes half the time of one processor at most.
func (v *Viewer) rebuild(ctx context.Context) {
	segments := v.o.Journal.Segments()
	to, _ := v.index.reach()
	var read journal.Position
	for i := len(segments) - 1; i >= 0; i-- {
		s := segments[i]
		if s.Base >= to || s.Records == 0 {
			continue
		}
		room := v.index.room()
		if room == 0 || read > rebuildBytes {
			return
		}
		older := v.index.below(room)
		end := min(s.End, to)
		list, err := newRowReader(newRows(v.rows.seed, v.o.ListBytes), v.priced(), v.o.Rate)
		var judged []judgedAt
		if err == nil {
			judged, err = v.reindex(ctx, older, list, s.Base, end)
		}
		if err != nil {
			if ctx.Err() == nil {
				v.log.Warn("the index of runs is not made of everything that is kept; what it lacks is looked for in the journal", "error", err)
			}
			return
		}
		v.judged.extend(judged)
		v.rows.extend(list.rows)
		v.lister.leftOut(&list.budget)
		v.index.extend(older, s.Base, s.First)
		v.pulls.add(judged, v.o.Now())
		if older.dropped {
			return
		}
		read += end - s.Base
	}
}

// reindex reads a stretch of the journal into pages and rows, and gives what was judged in it.
func (v *Viewer) reindex(ctx context.Context, into *pages, list *rowReader, from, to journal.Position) (judged []judgedAt, err error) {
	c, err := v.cursor("runs-rebuild", from)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	began, paused := v.o.Now(), c.Position()
	wanted := func(k journal.Kind) bool { return k.Spans() || holds(k) }
	err = eachOf(ctx, c, to, wanted, func(rec *journal.Record, body []byte) bool {
		if rec.Kind.Spans() {
			into.add(rec.Position, rec.End, rec.Admitted, body, &list.groups)
			list.take(rec, body)
		} else {
			judged = append(judged, in(rec, body)...)
		}
		if rec.End-paused < stretch {
			return true
		}
		// What runs beside it at a start is the replay, which everybody waits for.
		more := pause(ctx, v.o.Now().Sub(began))
		began, paused = v.o.Now(), rec.End
		return more
	})
	return judged, err
}

// pause waits; false if ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
