package export

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"treq/telemetry/compress"
)

// reading is what is known of how a sink reads gzip of several members.
type reading uint8

const (
	unasked reading = iota
	// readsAll: the members are one body, as RFC 1952 says.
	readsAll
	// readsOne: it refuses them, or stops after the first without saying so.
	readsOne
)

const (
	// askAgain is the least time between two questions that were not answered.
	askAgain = time.Minute
	// askAtMost is how many of those there may be before the answer counts as no.
	askAtMost = 3
	// probeHeader marks the two questions, for those who wonder about an empty and
	// a broken request in their log.
	probeHeader = "Treq-Probe"
)

// members finds out once in a process's life whether gzip that clients made can be
// sent on member after member. Nothing but an answer can tell: a reader that
// stops after the first member takes the request and loses the rest of it. So two
// requests without a span are sent: two empty members, which must be taken, and
// an empty one before one that no OTLP server takes, which must be refused.
// Safe for concurrent use.
type members struct {
	found atomic.Uint32 // a reading

	mu    sync.Mutex // held while asking
	asked int
	next  time.Time // of the next question, after one that was not answered
}

// known gives what was found so far.
func (m *members) known() reading { return reading(m.found.Load()) }

// refused notes that a request of several members was not taken.
func (m *members) refused() { m.found.Store(uint32(readsOne)) }

// ask gives what is known, after asking with send if that is due and nobody else
// does. send gives the action for the answer to a body.
func (m *members) ask(now time.Time, send func(body []byte) action) reading {
	if found := m.known(); found != unasked || !m.mu.TryLock() {
		return found
	}
	defer m.mu.Unlock()
	if m.known() != unasked || now.Before(m.next) {
		return m.known()
	}
	found := answered(send)
	if m.asked++; found == unasked {
		m.next = now.Add(askAgain)
		if m.asked >= askAtMost {
			found = readsOne
		}
	}
	m.found.Store(uint32(found))
	return found
}

func answered(send func(body []byte) action) reading {
	nothing := compress.AppendGzip(nil, nil, 1)
	switch send(append(nothing[:len(nothing):len(nothing)], nothing...)) {
	case succeed:
	case retry, pause:
		return unasked
	default:
		return readsOne
	}
	// A field whose length passes the end.
	switch send(compress.AppendGzip(nothing[:len(nothing):len(nothing)], []byte{requestResourceSpans<<3 | 2, 0x7f}, 1)) {
	case bisect, bury:
		return readsAll
	case retry, pause:
		return unasked
	default:
		return readsOne
	}
}

// readsMembers tells whether the sink takes gzip of several members, which may
// cost two requests.
func (s *sender) readsMembers(ctx context.Context, to route) bool {
	return s.members.ask(time.Now(), func(content []byte) action {
		out, released := s.send(ctx, to, body{chunks: [][]byte{content}, size: int64(len(content)), gzip: true, probe: true})
		<-released
		return out.action
	}) == readsAll
}
