package runs

import (
	"context"
	"fmt"
	"math"
	"slices"

	"treq/telemetry/journal"
)

// readers is how many requests read the journal at once; others wait.
const readers = 2

// near is how many bytes of journal are read through rather than sought over.
const near = 256 << 10

// lend makes a cursor for one request, of which the caller has to tell when it is
// done. It never holds back what the journal may let go.
func (v *Viewer) lend(ctx context.Context, from journal.Position) (*journal.Cursor, func(), error) {
	var name string
	select {
	case name = <-v.lent:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	c, err := v.cursor(name, from)
	if err != nil {
		v.lent <- name
		return nil, nil, err
	}
	return c, func() {
		c.Close()
		v.lent <- name
	}, nil
}

// cursor makes a cursor that has nothing to lose.
func (v *Viewer) cursor(name string, from journal.Position) (*journal.Cursor, error) {
	c, err := v.o.Journal.NewCursor(name, from, false)
	if err != nil {
		return nil, err
	}
	c.Commit(math.MaxUint64)
	return c, nil
}

func lendable() chan string {
	names := make(chan string, readers)
	for i := range readers {
		names <- fmt.Sprintf("runs-%d", i+1)
	}
	return names
}

// eachRecord tells the records of spans from one position up to another, until
// visit says that it is enough. The record is the visitor's for the time of the
// call, unless it retains it. Records that do not decode are passed over.
func eachRecord(ctx context.Context, c *journal.Cursor, to journal.Position, visit func(rec *journal.Record, body []byte) (more bool)) error {
	return eachOf(ctx, c, to, journal.Kind.Spans, visit)
}

// eachOf is eachRecord for the records of other kinds.
func eachOf(ctx context.Context, c *journal.Cursor, to journal.Position, wanted func(journal.Kind) bool,
	visit func(rec *journal.Record, body []byte) (more bool),
) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := c.TryNext()
		if err != nil || rec == nil {
			return err
		}
		more := rec.Position < to
		if more && wanted(rec.Kind) {
			if body, err := rec.Data(); err == nil {
				more = visit(rec, body)
			}
		}
		rec.Release()
		if !more {
			return nil
		}
	}
}

// at tells the records of spans at some positions, oldest first. A record that is not
// there any more is left out.
func (v *Viewer) at(ctx context.Context, positions []journal.Position, visit func(rec *journal.Record, body []byte) (more bool)) error {
	return v.visit(ctx, positions, journal.Kind.Spans, visit)
}

// visit is at for the records of other kinds.
func (v *Viewer) visit(ctx context.Context, positions []journal.Position, wanted func(journal.Kind) bool,
	visit func(rec *journal.Record, body []byte) (more bool),
) error {
	slices.Sort(positions)
	positions = slices.Compact(positions)
	for len(positions) > 0 {
		// One reading takes all that lie near each other.
		n := 1
		for n < len(positions) && positions[n]-positions[n-1] <= near {
			n++
		}
		group := positions[:n]
		positions = positions[n:]
		c, done, err := v.lend(ctx, group[0])
		if err != nil {
			return err
		}
		enough := false
		err = eachOf(ctx, c, group[n-1]+1, wanted, func(rec *journal.Record, body []byte) bool {
			if _, wanted := slices.BinarySearch(group, rec.Position); wanted {
				enough = !visit(rec, body)
			}
			return !enough
		})
		done()
		if err != nil || enough {
			return err
		}
	}
	return nil
}
