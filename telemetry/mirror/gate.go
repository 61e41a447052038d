package mirror

import "time"

const (
	firstBackoff = time.Second
	maxBackoff   = time.Minute
	// mostRunBackoff bounds the pause of one judgement whose run is not known yet.
	mostRunBackoff = 5 * time.Minute
	// probeInterval is how often a paused sink is asked whether it has been mended.
	probeInterval = 5 * time.Minute
	// maxRetryAfter caps what a sink may ask for.
	maxRetryAfter = time.Hour
)

// gate is where all of an outbox waits after a failure that is not one judgement's
// own. Its owner's lock guards it.
type gate struct {
	random   func() float64
	state    State
	failures int // in a row
	until    time.Time
	lastErr  string
	errTime  time.Time
	lastGood time.Time
}

// open tells that the sink answered.
func (g *gate) open() { g.state, g.failures, g.until = Running, 0, time.Time{} }

// shut closes the gate: for what the sink asked for, else the probe interval when
// paused, else an exponential time.
func (g *gate) shut(now time.Time, state State, asked time.Duration, reason string) {
	wait := g.backoff(g.failures, maxBackoff)
	if state == Paused {
		wait = probeInterval
	}
	if asked > 0 {
		// The least to wait; jitter on top keeps many senders apart.
		wait = asked + time.Duration(g.random()*float64(min(asked, 10*firstBackoff)/10))
	}
	g.failures++
	g.state = state
	if until := now.Add(wait); until.After(g.until) {
		g.until = until
	}
	g.note(now, reason)
}

func (g *gate) note(now time.Time, reason string) { g.lastErr, g.errTime = reason, now }

// backoff gives between half and all of a time that doubles with every failure.
func (g *gate) backoff(failures int, most time.Duration) time.Duration {
	wait := most
	if failures < 16 {
		wait = min(firstBackoff<<failures, most)
	}
	return wait/2 + time.Duration(g.random()*float64(wait/2))
}
