package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"treq/server/alerting"
	"treq/telemetry"
)

// receiver is one receiver at work. What changes is guarded by the dispatcher.
type receiver struct {
	config    Receiver
	policies  []policy
	silences  []silence
	quiet     []Window
	quietZone *time.Location
	style     style
	sender    sender
	timeout   time.Duration
	wake      chan struct{} // of one place

	lastOf     map[string]time.Time // by group: the newest message, also of what is over
	unfinished map[string]bool      // by group
	trouble    map[string]trouble   // by group: messages that the receiver refuses
	notBefore  time.Time            // nothing is sent before
	failures   int                  // in a row
	stats      stats
}

// trouble is with a message, not with the receiver.
type trouble struct {
	until    time.Time
	failures int
	turn     int // attempts since it began
}

type silence struct {
	takes       matcher
	from, until time.Time
}

// stats is what a receiver's status shows of the past.
type stats struct {
	sent, failed         int
	lastSuccess, errorAt time.Time
	lastError            string
}

// sender speaks to one receiver. One message at a time.
type sender interface {
	// send makes one attempt and gives what the receiver answered, in words without
	// secrets. Errors are *refusal where the receiver, or the way to it, is at fault.
	send(ctx context.Context, m *message) (answer string, err error)
	// most is how many alerts a message holds.
	most() int
}

func (r *receiver) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run delivers to one receiver until the dispatcher stops.
func (d *Dispatcher) run(ctx context.Context, r *receiver) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-d.stopping:
			return
		default:
		}
		b, m, nap := d.nextMessage(r)
		if b != nil {
			attempt, cancel := context.WithTimeout(ctx, r.timeout)
			_, err := r.sender.send(attempt, m)
			cancel()
			if ctx.Err() != nil {
				return
			}
			d.sent(r, b, err)
			continue
		}
		timer.Reset(nap)
		select {
		case <-d.stopping:
			return
		case <-r.wake:
		case <-timer.C:
		}
	}
}

func (d *Dispatcher) nextMessage(r *receiver) (*batch, *message, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	b, wake := r.next(d.book, now)
	if b == nil {
		nap := time.Hour
		if !wake.IsZero() {
			nap = max(0, min(nap, wake.Sub(now)))
		}
		return nil, nil, nap
	}
	m := newMessage(r, b, now)
	for i := range b.members {
		b.members[i].sent = b.members[i].alert.State
	}
	return b, m, 0
}

// sent takes the outcome of a message in.
func (d *Dispatcher) sent(r *receiver, b *batch, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.keepUp(now)
	if err != nil {
		r.fail(b, err, now)
		d.logger.Warn("a notification was not delivered; it is tried again",
			"receiver", r.config.Name, "alerts", len(b.members), "error", err, "next_try", later(r.notBefore, r.trouble[b.group].until))
		return
	}
	r.failures, r.notBefore = 0, time.Time{}
	if t, in := r.trouble[b.group]; in {
		t.turn++
		r.trouble[b.group] = t
	}
	if !b.unfinished {
		delete(r.trouble, b.group)
	}
	r.stats.sent++
	r.stats.lastSuccess = now
	r.lastOf[b.group] = now
	delete(r.unfinished, b.group)
	if b.unfinished {
		r.unfinished[b.group] = true
	}
	told, news := record{At: now, Receiver: r.config.Name}, false
	for _, m := range b.members {
		news = news || m.sent != m.told.State
		times := m.told.Times
		if m.sent == alerting.Firing {
			times++
		}
		told.Told = append(told.Told, toldState{
			Fingerprint: m.alert.Fingerprint, StartsAt: m.alert.StartsAt, State: m.sent, Times: times,
		})
	}
	d.book.apply(told)
	for _, m := range b.members {
		d.settle(m.episode)
	}
	// What an Alertmanager is told every minute is not worth a write to disk: after
	// a restart it is told at once.
	if news || r.config.Kind != Alertmanager {
		_ = d.persist([]record{told})
	}
}

// The back-off. A receiver that is down is asked again after firstTry, then twice
// as long each time; one that refuses what it is sent, more seldom in the end,
// since only a person can mend that. What a receiver asks for goes before, as long
// as it is sane.
const (
	firstTry     = 5 * time.Second
	longestDown  = 2 * time.Minute
	longestWrong = 15 * time.Minute
	longestAsked = time.Hour
)

func (r *receiver) fail(b *batch, err error, now time.Time) {
	r.stats.failed++
	r.stats.lastError, r.stats.errorAt = err.Error(), now
	var why refusal
	if found, ok := errors.AsType[*refusal](err); ok {
		why = *found
	}
	if why.content {
		t := r.trouble[b.group]
		t.until = now.Add(backOff(t.failures, longestWrong))
		t.failures++
		t.turn++
		r.trouble[b.group] = t
		return
	}
	longest := longestDown
	if why.wrong {
		longest = longestWrong
	}
	pause := max(backOff(r.failures, longest), min(why.retryAfter, longestAsked))
	r.failures++
	r.notBefore = now.Add(pause)
}

// backOff gives the pause after so many failures: between half of it and the whole,
// so that many receivers of one service do not come back at once.
func backOff(failures int, longest time.Duration) time.Duration {
	pause := min(longest, firstTry<<min(failures, 16))
	return pause/2 + rand.N(pause/2)
}

// refusal is why an attempt failed.
type refusal struct {
	// reason is in words, without secrets and without what the receiver wrote.
	reason string
	// detail is what the receiver wrote, without secrets; only who sends a sample
	// sees it.
	detail string
	// content tells that the receiver refuses this message and takes others; wrong
	// that it will refuse everything until a person mends the settings. Else it may
	// work in a while.
	content, wrong bool
	retryAfter     time.Duration
}

// Error gives the reason.
func (r *refusal) Error() string { return r.reason }

// failed makes the error of something that may pass.
func failed(reason string) error { return &refusal{reason: reason} }

// misconfigured makes the error of something that a person must mend.
func misconfigured(err error) error {
	reason := err.Error()
	if e, ok := errors.AsType[*telemetry.Error](err); ok {
		reason = e.Message
	}
	return &refusal{reason: reason, wrong: true}
}
