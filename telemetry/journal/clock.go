package journal

import "time"

// clock gives times that never decrease, and that go on when the wall clock is set
// back: by the time that really passed.
type clock struct {
	now  func() time.Time
	last int64 // Unix nanoseconds
	read time.Time
}

// tick gives the time in Unix nanoseconds.
func (c *clock) tick() int64 {
	t := c.now()
	passed := t.Sub(c.read)
	c.read = t
	if wall := t.UnixNano(); wall > c.last {
		c.last = wall
	} else if passed > 0 {
		c.last += int64(passed)
	}
	return c.last
}

// atLeast makes every later time no earlier than t.
func (c *clock) atLeast(t int64) {
	c.tick()
	c.last = max(c.last, t)
}
