package journal

import (
	"slices"

	"treq/telemetry"
)

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
