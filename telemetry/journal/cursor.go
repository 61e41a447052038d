package journal

import (
	"context"
	"slices"
	"sync"
)

// Cursor reads the journal from a position on, record by record. At the tail it
// gets the records that the ring in memory still holds; behind it reads the disk.
//
// All methods are safe for concurrent use; records go to one caller each.
type Cursor struct {
	j         *Journal
	name      string
	essential bool
	wake      chan struct{}

	// reading serialises TryNext. Taken before Journal.mu.
	reading sync.Mutex
	disk    reader

	// Guarded by Journal.mu:
	pos, commit Position
	seq, items  uint64 // what lies before pos
	epoch       uint64 // counts how often retention moved pos
	closed      bool
	committed   bool // Commit was called
	expired     loss
	damaged     loss
}

// Only says which kinds of records the reader wants. Those of other kinds come as well,
// so that it can tell how far it is, but where they have to be read from the disk they
// come without a body, which is neither read nor looked at for damage: a reader of what
// is seldom passes a gigabyte in the time that its headers take.
func (c *Cursor) Only(wanted func(Kind) bool) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.disk.close()
	c.disk.only = wanted
}

// loss is what a reader did not get.
type loss struct{ records, items, bytes uint64 }

// Next gives the next record, for which it waits until ctx ends or the journal or
// cursor is closed. The caller has to Release it. An error of reading the disk
// leaves the cursor where it is, and the call can be tried again.
func (c *Cursor) Next(ctx context.Context) (*Record, error) {
	for {
		r, err := c.TryNext()
		if r != nil || err != nil {
			return r, err
		}
		select {
		case <-c.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// TryNext gives the next record, which the caller has to Release, or nil when the
// cursor has read all that is durable.
func (c *Cursor) TryNext() (*Record, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	j := c.j
	for {
		j.mu.Lock()
		if c.closed || j.closed {
			j.mu.Unlock()
			c.disk.close()
			return nil, errClosed()
		}
		if c.pos >= j.durable {
			j.mu.Unlock()
			c.disk.close()
			return nil, nil
		}
		if r, ok := j.ring.find(c.pos); ok {
			c.advance(r)
			var passed []*Record
			if r.large() {
				passed = j.ring.pass(j.nearest(), nil) // not only when the next one comes
			}
			j.mu.Unlock()
			releaseAll(passed)
			c.disk.close()
			return r, nil
		}
		s, ok := j.segmentAt(c.pos)
		if !ok {
			c.pos = j.durable
			j.mu.Unlock()
			continue
		}
		step := readStep{
			base: s.base, generation: s.generation, salt: s.salt, from: max(c.pos, s.start()), limit: s.end,
			seq: c.seq, items: c.items, seqEnd: s.seqEnd, itemsEnd: s.itemsEnd,
		}
		epoch := c.epoch
		j.mu.Unlock()

		r, bad, err := c.disk.next(j, step)

		j.mu.Lock()
		if c.epoch != epoch {
			j.mu.Unlock()
			if r != nil {
				r.Release()
			}
			continue
		}
		if err != nil {
			j.mu.Unlock()
			j.fault(err)
			return nil, unavailable("cannot read the journal", soon, err)
		}
		if r != nil {
			c.advance(r)
		} else {
			c.skipTo(step.limit, step.seqEnd, step.itemsEnd)
		}
		j.mu.Unlock()
		for _, d := range bad {
			j.damage(s, d, c.disk.file)
		}
		if r != nil {
			return r, nil
		}
	}
}

// advance moves behind r. mu is held.
func (c *Cursor) advance(r *Record) {
	c.skipTo(r.Position, r.seq, r.itemsBefore)
	c.pos, c.seq, c.items = r.End, r.seq+1, r.itemsBefore+uint64(r.Items)
	if c.essential && c.j.awaited {
		select {
		case c.j.advanced <- struct{}{}:
		default:
		}
	}
}

// skipTo moves to pos, before which seq records lie; those between were damaged.
// mu is held.
func (c *Cursor) skipTo(pos Position, seq, items uint64) {
	if seq > c.seq {
		c.damaged.records += seq - c.seq
		c.damaged.items += items - min(c.items, items)
	}
	c.pos, c.seq, c.items = pos, seq, items
}

// pass moves the cursor behind an expiring segment and tells whether it had not
// read all of it. mu is held.
func (c *Cursor) pass(s *segment) bool {
	if c.pos >= s.end || s.end <= s.start() {
		return false
	}
	from := max(c.pos, s.start())
	c.expired.records += s.seqEnd - min(max(c.seq, s.seq), s.seqEnd)
	c.expired.items += s.itemsEnd - min(max(c.items, s.items), s.itemsEnd)
	c.expired.bytes += uint64(s.end - from)
	c.pos, c.seq, c.items = s.end, s.seqEnd, s.itemsEnd
	c.commit = max(c.commit, c.pos)
	c.epoch++
	return !c.closed
}

// Wake gives a channel that receives when there may be something new, or the
// journal was closed. It holds one signal: after one, call TryNext until it gives
// nil. It is Next's own signal too; use one or the other.
func (c *Cursor) Wake() <-chan struct{} { return c.wake }

func (c *Cursor) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Position gives the position that the next record has at least.
func (c *Cursor) Position() Position {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.pos
}

// Commit tells that everything before pos was dealt with and retention may let it
// go. It never goes back. A new cursor has committed what it starts from.
func (c *Cursor) Commit(pos Position) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.commit = max(c.commit, pos)
	c.committed = true
}

// Expired tells what retention took before this cursor read it. Of what was gone
// before the cursor was made only the bytes are known.
func (c *Cursor) Expired() (records, items, bytes uint64) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.expired.records, c.expired.items, c.expired.bytes
}

// Damaged tells what this cursor skipped because the disk altered it.
func (c *Cursor) Damaged() (records, items uint64) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.damaged.records, c.damaged.items
}

// Close ends the reading; a Next that waits gives an error of kind Unavailable.
// What a cursor has told by Commit keeps counting for retention until a cursor of
// its name is made, so that a reader that restarts finds what it left; a cursor
// that never committed is forgotten.
func (c *Cursor) Close() {
	j := c.j
	j.mu.Lock()
	c.closed = true
	if !c.committed {
		j.cursors = slices.DeleteFunc(slices.Clone(j.cursors), func(o *Cursor) bool { return o == c })
	}
	j.mu.Unlock()
	c.notify()
	c.reading.Lock()
	defer c.reading.Unlock()
	c.disk.close()
}
