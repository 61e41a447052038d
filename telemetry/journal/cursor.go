package journal

import (
	"context"
	"slices"
	"sync"

	"treq/telemetry"
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
	expired     loss
	damaged     loss
}

// loss is what a reader did not get.
type loss struct{ records, items, bytes uint64 }

// NewCursor makes a reader that starts at from: a Position told by a record, a
// receipt or Commit, Durable for what is to come, or 0 for all there is. What is
// between from and the oldest record counts as expired. A from behind everything
// that Open found, left by a power cut in Memory mode, starts where that ends.
//
// Retention never passes what an essential cursor has not committed: Append refuses
// instead. The name is for logs; two open cursors of one name are an error of kind
// Conflict. A closed one's name may be taken up again.
func (j *Journal) NewCursor(name string, from Position, essential bool) (*Cursor, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, errClosed()
	}
	if slices.ContainsFunc(j.cursors, func(c *Cursor) bool { return c.name == name && !c.closed }) {
		return nil, telemetry.Errorf(telemetry.Conflict, "the journal has a reader %q already", name)
	}
	c := &Cursor{j: j, name: name, essential: essential, wake: make(chan struct{}, 1), pos: from}
	if from > j.durable {
		j.log.Warn("a reader's position lies behind the journal's end; it goes on from there",
			"reader", name, "position", uint64(from), "end", uint64(j.openEnd))
		c.pos = j.openEnd
	}
	if err := c.locate(from > 0); err != nil {
		return nil, err
	}
	c.commit = c.pos
	// The list is replaced, never changed: the writer uses it without the lock.
	others := slices.DeleteFunc(slices.Clone(j.cursors), func(c *Cursor) bool { return c.name == name })
	j.cursors = append(others, c)
	c.notify()
	return c, nil
}

// locate finds how many records lie before pos. mu is held, also while it reads a
// header from the disk, so that the segment cannot expire meanwhile.
func (c *Cursor) locate(countExpired bool) error {
	j := c.j
	if len(j.segments) > 0 && c.pos < j.segments[0].base {
		oldest := j.segments[0]
		if countExpired {
			c.expired.bytes = uint64(oldest.base - c.pos)
		}
		c.pos = oldest.base
	}
	c.seq, c.items = j.seq, j.items
	s, ok := j.segmentAt(c.pos)
	if !ok {
		return nil
	}
	c.seq, c.items = s.seq, s.items
	if c.pos <= s.start() {
		return nil
	}
	f, err := j.fs.Open(j.path(fileName(s.base, segmentSuffix)))
	if err != nil {
		return unavailable("cannot open the journal", soon, err)
	}
	defer func() {
		// Read only: nothing can be lost.
		_ = f.Close()
	}()
	scan := newScanner(f, s.base, s.salt, int64(s.end-s.base), narrowWindow)
	off, err := scan.seek(int64(c.pos - s.base))
	if err != nil {
		return unavailable("cannot read the journal", soon, err)
	}
	c.seq, c.items = s.seqEnd, s.itemsEnd
	if h, ok, err := scan.frame(off); err == nil && ok {
		c.seq, c.items = h.seq, h.itemsBefore
	}
	return nil
}

// segmentAt gives the segment with records at or behind pos that comes first. mu is held.
func (j *Journal) segmentAt(pos Position) (*segment, bool) {
	for _, s := range j.segments {
		if s.end > pos && s.end > s.start() {
			return s, true
		}
	}
	return nil, false
}

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
			j.mu.Unlock()
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
			base: s.base, salt: s.salt, from: max(c.pos, s.start()), limit: s.end,
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
// What the cursor has committed keeps counting for retention until a cursor of its
// name is made, so that a reader that restarts finds what it left.
func (c *Cursor) Close() {
	c.j.mu.Lock()
	c.closed = true
	c.j.mu.Unlock()
	c.notify()
	c.reading.Lock()
	defer c.reading.Unlock()
	c.disk.close()
}
