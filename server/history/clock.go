package history

import (
	"sync"
	"time"
)

// slew is the share of its speed that a clock which is ahead gives up until it is not.
const slew = 8

// clock gives the time at which samples are stored. It never goes back, since a
// database takes nothing that is older than what it has: where the clock of the machine
// is set back it goes on from where it was, ahead of that, and an eighth slower until
// they agree again. So windows go on over the change, and are wrong by an eighth at
// most. Where the machine's clock is set forward it follows at once. It is safe for
// concurrent use.
type clock struct {
	machine func() time.Time

	mu    sync.Mutex
	last  time.Time     // what the machine said, with its monotonic reading
	ahead time.Duration // of the machine's clock, never negative
}

func newClock(machine func() time.Time) *clock {
	return &clock{machine: machine, last: machine()}
}

// now gives the time, without a monotonic reading.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look().Add(c.ahead)
}

// look notes what the machine's clock did since it was looked at last, and gives what
// it says.
func (c *clock) look() time.Time {
	at := c.machine()
	passed := max(0, at.Sub(c.last)) // by the monotonic reading
	moved := at.Round(0).Sub(c.last.Round(0))
	c.last = at
	c.ahead = max(0, c.ahead+passed-moved-passed/slew)
	return at.Round(0)
}

// notBefore lets the time be at least that.
func (c *clock) notBefore(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = max(c.ahead, t.Sub(c.look()))
}

// lead tells how far the time is ahead of the machine's clock.
func (c *clock) lead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.ahead
}
