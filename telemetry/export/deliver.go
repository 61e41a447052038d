package export

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// timeoutsToSplit is how many attempts in a row a batch may run out of time
	// before less is sent at once: a sink may be too slow for the batch, and the
	// same again would never end.
	timeoutsToSplit = 3
	// refusedAlone is how many single spans of one batch are refused, with none
	// taken, before the rest is no longer taken apart: the sink then refuses what
	// we send as such.
	refusedAlone = 64
	// faultsToDoubt is how many server errors in a row make one doubt the batch
	// and not the sink: some backends stumble over one span, and would for ever.
	faultsToDoubt = 5
)

// delivery is a batch on its way, in the pieces it fell into.
type delivery struct {
	sink   *Sink
	packer *packer
	work   []*batch  // last first
	alone  int       // single spans refused before any was taken
	taken  time.Time // when a request last was; zero for never
	buried int64
	// stopped tells that the sink stopped while the budget had no room.
	stopped bool
	reason  string
}

// deliver sends a batch until all its spans found their end, or the sink stops.
func (s *Sink) deliver(b *batch, k *packer) {
	d := &delivery{sink: s, packer: k, work: []*batch{b}}
	for len(d.work) > 0 && !d.stopped && s.pass() {
		d.step()
	}
	if d.buried > 0 {
		s.log.Warn("spans went to the dead-letter file", "spans", d.buried, "reason", d.reason)
	}
}

// pass waits until the gate is open. It gives false when the sink stops and
// there is no going on.
func (s *Sink) pass() bool {
	for {
		wait := s.gate.wait(time.Now())
		if wait == 0 {
			return s.ctx.Err() == nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.stopping:
			timer.Stop()
			return false
		}
	}
}

// blocked tells that the sink waits after a failure, or for its budget.
func (s *Sink) blocked() bool {
	return s.ctx.Err() != nil || s.gate.wait(time.Now()) > 0 || s.budget.waits(time.Now())
}

// step makes one attempt with the last of the work.
func (d *delivery) step() {
	b := d.work[len(d.work)-1]
	s := d.sink
	body, fits, bad, err := d.pack(b)
	if err != nil {
		d.buryOne(b, bad, fmt.Sprintf("the record cannot be read: %v", err))
		return
	}
	if !fits {
		if !d.halve(b) {
			d.bury(b, outcome{reason: fmt.Sprintf("larger than the %d bytes of a request, and cannot be split", MaxRequestBytes)})
		}
		return
	}
	if !d.afford(b) {
		d.stopped = true
		return
	}
	out, released := s.sender.send(s.ctx, b.route, body)
	<-released
	if s.ctx.Err() != nil && out.action != succeed {
		return
	}
	if body.members && (out.action == bisect || out.action == bury) {
		// The same once more in one member tells whether that was it.
		s.log.Info("the sink refuses gzip of several members; from now on it gets one", "reason", out.reason)
		s.sender.members.refused()
		return
	}
	now := time.Now()
	switch out.action {
	case succeed:
		d.succeed(b, out, body.size, now)
	case retry, pause:
		d.fail(b, out, now)
	case split:
		s.notice(s.gate.note(now, out.reason), Running, out.reason)
		if !d.halve(b) {
			d.bury(b, out)
		}
	case bisect:
		s.notice(s.gate.note(now, out.reason), Running, out.reason)
		if b.mendTexts() {
			s.log.Info("the sink refused texts that are not UTF-8; they are sent again with U+FFFD for what is not", "reason", out.reason)
			return
		}
		if d.alone >= refusedAlone && d.taken.IsZero() || !d.halve(b) {
			if b.spans == 1 {
				d.alone++
			}
			d.bury(b, out)
		}
	case bury:
		s.notice(s.gate.note(now, out.reason), Running, out.reason)
		d.bury(b, out)
	}
}

// pack makes the body of b.
func (d *delivery) pack(b *batch) (out body, fits bool, bad int, err error) {
	if b.path != "" {
		return d.packer.packRuns(b, d.sink.sender.info(d.sink.ctx))
	}
	if s := d.sink.sender; s.json {
		return d.packer.packJSON(b, s.gzip)
	}
	return d.packer.pack(b, d.coding(b))
}

// coding says how the body of b is made. Asking whether the sink reads several
// members is for batches that would have them.
func (d *delivery) coding(b *batch) coding {
	s := d.sink.sender
	switch {
	case !s.gzip || s.grpc != nil: // gRPC compresses messages itself
		return uncompressed
	case len(b.pieces) < 2 || b.passing() == 0 || !s.readsMembers(d.sink.ctx, b.route):
		return compressed
	}
	return inMembers
}

func (d *delivery) succeed(b *batch, out outcome, size int64, now time.Time) {
	s := d.sink
	s.notice(s.gate.open(now), Running, "")
	d.taken = now
	s.mu.Lock()
	if s.firstGood.IsZero() {
		s.firstGood = now
	}
	s.traffic.Requests++
	s.traffic.Bytes += size
	s.mu.Unlock()
	if out.reason != "" {
		s.gate.remark(now, out.reason)
		s.log.Warn("the sink took a request with reservations", "rejected", out.rejected, "reason", out.reason)
	}
	left := out.rejected
	for i := range b.pieces {
		p := &b.pieces[i]
		rejected := min(left, p.spans)
		left -= rejected
		s.settle(p, counts{Sent: p.spans, Rejected: rejected})
	}
	s.keep()
	d.drop()
}

func (d *delivery) fail(b *batch, out outcome, now time.Time) {
	s := d.sink
	to := Retrying
	if out.action == pause {
		to = Paused
	}
	s.notice(s.gate.shut(now, to, out.asked, out.reason), to, out.reason)
	s.mu.Lock()
	s.traffic.Retried++
	s.mu.Unlock()
	switch {
	case out.timeout:
		if b.timeouts++; b.timeouts >= timeoutsToSplit {
			d.halve(b)
		}
	case out.status == http.StatusInternalServerError:
		b.timeouts = 0
		d.doubt(b, out, now)
	default:
		b.timeouts, b.faults = 0, 0
	}
}

// doubt looks for a span that makes the sink stumble, once a batch has failed
// often enough: in halves, the others first. A span is given up only when it
// failed before and after the sink took others; an outage gives none up. When it is
// the last of its batch, it is set aside so that others can be sent and tell.
func (d *delivery) doubt(b *batch, out outcome, now time.Time) {
	if b.faults++; b.faults == 1 {
		b.doubted = now
	}
	if b.faults < faultsToDoubt {
		return
	}
	rest := slices.Clone(d.work[:len(d.work)-1])
	switch {
	case d.halve(b):
		d.work = append(d.work[len(d.work)-2:], rest...)
	case d.sink.gate.view().lastGood.After(b.doubted):
		d.bury(b, out)
	case len(rest) == 0 && d.sink.suspects.add(b):
		d.drop()
	default:
		d.work = append([]*batch{b}, rest...)
	}
}

// halve puts two halves in the place of b, the last of the work.
func (d *delivery) halve(b *batch) bool {
	left, right, ok := b.halves()
	if !ok {
		return false
	}
	if len(b.pieces) == 1 {
		d.sink.mu.Lock()
		b.pieces[0].ticket.open++
		d.sink.mu.Unlock()
	}
	d.drop()
	d.work = append(d.work, right, left)
	return true
}

// drop takes the last of the work away.
func (d *delivery) drop() {
	d.work[len(d.work)-1] = nil
	d.work = d.work[:len(d.work)-1]
}

// bury writes all of b to the dead letters. If that fails, b stays and the sink
// waits: nothing is dropped for want of a place to put it.
func (d *delivery) bury(b *batch, out outcome) {
	letters := make([]deadLetter, 0, len(b.pieces))
	for i := range b.pieces {
		letters = append(letters, d.letter(b, i, out))
	}
	if !d.write(letters, out.reason) {
		return
	}
	for i := range b.pieces {
		p := &b.pieces[i]
		d.sink.settle(p, counts{DeadLettered: p.spans})
		d.buried += p.spans
	}
	d.sink.keep()
	d.drop()
}

// buryOne writes one piece of b, which cannot be sent at all, to the dead letters.
func (d *delivery) buryOne(b *batch, i int, reason string) {
	if !d.write([]deadLetter{d.letter(b, i, outcome{reason: reason})}, reason) {
		return
	}
	p := b.pieces[i]
	d.sink.settle(&p, counts{DeadLettered: p.spans})
	d.buried += p.spans
	b.pieces = append(b.pieces[:i], b.pieces[i+1:]...)
	b.spans -= p.spans
	if len(b.pieces) == 0 {
		d.drop()
	}
}

func (d *delivery) letter(b *batch, i int, out outcome) deadLetter {
	p := &b.pieces[i]
	letter := deadLetter{
		Time: time.Now().UTC(), Reason: out.reason, Status: out.status, Spans: p.spans,
		Project: b.project, Tenant: b.tenant, Position: p.ticket.record.Position,
	}
	data, err := p.bytes()
	if err != nil {
		letter.Encoding, data = "raw", p.ticket.record.Body
	}
	if p.runs != nil && letter.Encoding == "" {
		letter.Encoding = encodingRuns
	}
	letter.Payload = data
	return letter
}

func (d *delivery) write(letters []deadLetter, reason string) bool {
	d.reason = reason
	err := d.sink.dead.write(letters)
	if err == nil {
		return true
	}
	s := d.sink
	s.notice(s.gate.shut(time.Now(), Retrying, 0, err.Error()), Retrying, err.Error())
	return false
}

// notice logs a change of state.
func (s *Sink) notice(was, is State, reason string) {
	switch {
	case was == is:
	case is == Running:
		s.log.Info("the sink answers again", "was", string(was))
	case is == Paused:
		s.log.Error("the sink refuses us; its data is kept until that is mended", "reason", reason, "again_in", probeInterval.String())
	default:
		s.log.Warn("the sink cannot be reached; its data is kept and sent later", "reason", reason)
	}
}
