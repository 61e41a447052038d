package export

import (
	"slices"
	"time"

	"treq/telemetry/journal"
)

const (
	// persistEvery is how often, at most, the position is made safe on disk while
	// a sink delivers: what a power cut makes it send again. What a kill makes it
	// send again is less, since every move of the position is noted.
	persistEvery = time.Second
	// passBytes is the size before compression from which a client's gzip is worth
	// a request of its own, where a request holds one: unpacking it and packing it
	// again costs more.
	passBytes = 64 << 10
	// readAgain is how long a journal that cannot be read is left alone.
	readAgain = time.Second
)

// pump reads the journal into batches and hands them to requests. It belongs to
// one goroutine.
type pump struct {
	sink    *Sink
	cursor  Cursor
	choice  *choice // nil for all traces
	thrift  *thrift // nil for all traces that choice leaves
	repeats repeats
	read    journal.Position   // end of the last record read
	passed  int64              // spans read or expired
	before  int64              // spans sent by processes before this one
	first   int64              // the most spans of the first requests; firstSpans but for tests
	begin   journal.Position   // where the process began, and how many spans of the record there
	within  int64              // found their end before
	recent  []journal.Position // from where to look back; empty for nowhere
	lost    losses
	fresh   bool // nothing was read yet, and nothing is owed from before

	filling []*batch // oldest first, one a route
	ready   []*batch
	idle    []*packer
	flying  int
	aloft   aloft // what the requests that fly say runs of
	results chan *packer

	dirty       bool // the position moved since it was written
	persistAt   time.Time
	readAt      time.Time // not before, after a failed read
	unreadable  bool
	unwritable  bool
	caughtUp    bool
	draining    bool
	fillingSize int
}

func newPump(s *Sink, cursor Cursor, known bool) *pump {
	return &pump{
		sink: s, cursor: cursor, choice: newChoice(s.config), thrift: newThrift(s.config, time.Now()), repeats: newRepeats(time.Now()), read: s.position, passed: s.committed.settled(), before: s.committed.Sent, first: firstOf(s.config), fresh: !known,
		begin: s.position, within: s.within, recent: s.recent, aloft: aloft{},
		idle:    make([]*packer, 0, s.config.MaxInFlight),
		results: make(chan *packer, s.config.MaxInFlight),
	}
}

func (p *pump) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	stopping := p.sink.stopping
	p.lookBack()
	for {
		wake := p.cursor.Wake()
		// Tickets may be settled that no request was made for.
		p.sink.keep()
		p.dirty = p.sink.hasMoved() || p.dirty
		p.dispatch()
		p.fill()
		p.dispatch()
		p.persist()
		if p.draining && p.flying == 0 {
			return
		}
		if !p.room() || !p.caughtUp {
			wake = nil
		}
		timer.Reset(p.nap())
		select {
		case <-wake:
		case <-timer.C:
		case packer := <-p.results:
			p.flying--
			p.aloft.landed(packer.runs)
			p.idle = append(p.idle, packer)
		case <-stopping:
			p.draining, stopping = true, nil
		}
	}
}

// room tells whether another record may be read: there is one batch in the
// making at most beyond those that fly and one that is ready.
func (p *pump) room() bool {
	if p.draining && p.sink.blocked() {
		return false
	}
	return p.flying+len(p.ready) <= p.sink.config.MaxInFlight && !time.Now().Before(p.readAt)
}

// fill reads until the tail or until there is no room.
func (p *pump) fill() {
	p.caughtUp = false
	for p.room() {
		record, err := p.cursor.TryNext()
		if err != nil {
			p.failRead(err)
			return
		}
		p.unreadable = false
		if record == nil {
			p.caughtUp = true
			return
		}
		p.take(record)
	}
}

// failRead leaves the journal alone for a while. The first failure is logged,
// not every one after it.
func (p *pump) failRead(err error) {
	if !p.unreadable {
		p.sink.log.Error("the journal cannot be read; trying again", "error", err)
	}
	p.unreadable = true
	p.readAt = time.Now().Add(readAgain)
}

// dispatch closes the batches that are due and starts requests.
func (p *pump) dispatch() {
	now := time.Now()
	for len(p.filling) > 0 && p.flying+len(p.ready) < p.sink.config.MaxInFlight && p.due(p.filling[0], now) {
		p.closeBatch(0)
	}
	for p.flying < p.sink.config.MaxInFlight {
		if p.draining && p.sink.blocked() {
			return
		}
		next := p.next()
		if next == nil {
			return
		}
		k := &packer{}
		if n := len(p.idle); n > 0 {
			k, p.idle = p.idle[n-1], p.idle[:n-1]
		}
		p.flying++
		k.runs = p.aloft.left(next)
		go func() {
			p.sink.deliver(next, k)
			p.results <- k
		}()
	}
}

// next gives the batch to send next, nil if there is none: what was set aside once
// there is something to tell by, else what is ready.
func (p *pump) next() *batch {
	if !p.draining {
		if b := p.sink.suspects.next(p.sink.gate.view().lastGood, len(p.ready) == 0 && p.flying == 0); b != nil {
			return b
		}
	}
	i := p.aloft.first(p.ready)
	if i < 0 {
		return nil
	}
	b := p.ready[i]
	p.ready = slices.Delete(p.ready, i, i+1)
	return b
}

func (p *pump) due(b *batch, now time.Time) bool {
	return p.draining || now.Sub(b.oldest) >= p.sink.config.Delay
}

// nap is how long there is nothing to do unless something happens.
func (p *pump) nap() time.Duration {
	now := time.Now()
	until := now.Add(time.Hour)
	if len(p.filling) > 0 && p.flying+len(p.ready) < p.sink.config.MaxInFlight {
		until = earlier(until, p.filling[0].oldest.Add(p.sink.config.Delay))
	}
	if p.dirty {
		until = earlier(until, p.persistAt)
	}
	if p.readAt.After(now) {
		until = earlier(until, p.readAt)
	}
	return max(0, until.Sub(now))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// persist makes the position safe on disk if it moved and was not just made so.
func (p *pump) persist() {
	now := time.Now()
	if !p.dirty || now.Before(p.persistAt) {
		return
	}
	p.persistAt = now.Add(persistEvery)
	if err := p.sink.persist(); err != nil {
		if !p.unwritable {
			p.sink.log.Error("the sink's position cannot be written; trying again", "error", err)
		}
		p.unwritable = true
		return
	}
	p.dirty, p.unwritable = false, false
}
