package export

import (
	"sync"
	"time"
)

const (
	firstBackoff = time.Second
	maxBackoff   = time.Minute
	// probeInterval is how often a paused sink is asked whether it has been mended.
	probeInterval = 5 * time.Minute
	// stuckAfter is how long failures may last before a sink counts as stuck.
	stuckAfter = 5 * time.Minute
)

// gate is the one place where a sink's requests wait after a failure, so that
// requests in parallel do not each find out for themselves. Safe for concurrent
// use.
type gate struct {
	random func() float64 // 0 ≤ random < 1

	mu       sync.Mutex
	state    State // Running, Retrying or Paused
	failures int   // in a row
	since    time.Time
	until    time.Time
	lastErr  string
	errTime  time.Time
	lastGood time.Time
}

// gateView is a gate at one moment.
type gateView struct {
	state    State
	since    time.Time // of the first failure in a row
	until    time.Time // closed until then; zero when open
	lastErr  string
	errTime  time.Time
	lastGood time.Time
}

func (g *gate) view() gateView {
	g.mu.Lock()
	defer g.mu.Unlock()
	return gateView{g.state, g.since, g.until, g.lastErr, g.errTime, g.lastGood}
}

// open tells a success. It gives the state before.
func (g *gate) open(now time.Time) State {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.state
	g.state, g.failures, g.since, g.until, g.lastGood = Running, 0, time.Time{}, time.Time{}, now
	return was
}

// note keeps an error that does not close the gate: one batch's own fault. The
// sink answered, so that failures in a row end with it.
func (g *gate) note(now time.Time, reason string) State {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.state
	g.state, g.failures, g.since, g.until = Running, 0, time.Time{}, time.Time{}
	g.lastErr, g.errTime = reason, now
	return was
}

// remark keeps what a sink said with a success.
func (g *gate) remark(now time.Time, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lastErr, g.errTime = reason, now
}

// shut closes the gate after a failure: for what the sink asked for, else the
// probe interval when paused, else an exponential time with jitter between half
// and all of it. It gives the state before.
func (g *gate) shut(now time.Time, state State, asked time.Duration, reason string) State {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.state
	if g.failures == 0 {
		g.since = now
	}
	wait := maxBackoff
	if g.failures < 6 {
		wait = min(firstBackoff<<g.failures, maxBackoff)
	}
	wait = wait/2 + time.Duration(g.random()*float64(wait/2))
	if state == Paused {
		wait = probeInterval
	}
	// Retry-After is the least to wait; jitter on top keeps many senders apart.
	if asked > 0 {
		wait = asked + time.Duration(g.random()*float64(min(asked, 10*firstBackoff)/10))
	}
	g.failures++
	g.state = state
	if until := now.Add(wait); until.After(g.until) {
		g.until = until
	}
	g.lastErr, g.errTime = reason, now
	return was
}

// wait gives how long the gate stays closed.
func (g *gate) wait(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, g.until.Sub(now))
}
