package export

import "treq/telemetry/journal"

// part is a stretch of a record's spans, in the record's order, that found its end.
type part struct {
	from, spans int64
	ends        counts
}

// progress is how far a ticket got into a record that is sent in parts. A process
// that is killed goes on from there: what it repeats is the request on its way, and
// not the record.
type progress struct {
	taken int64  // spans of the record, from the first on, that found their end
	ends  counts // of those of them that did so in this process
	noted counts // of ends, what the sink has committed
	ahead []part // what found its end before others that come first
}

// add takes in a part.
func (g *progress) add(p part) {
	g.ahead = append(g.ahead, p)
	for i := 0; i < len(g.ahead); i++ {
		if next := g.ahead[i]; next.from == g.taken {
			g.taken += next.spans
			g.ends.add(next.ends)
			g.ahead = append(g.ahead[:i], g.ahead[i+1:]...)
			i = -1
		}
	}
}

// settle gives the spans of a piece their end.
func (s *Sink) settle(p *piece, ends counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := p.ticket
	t.ends.add(ends)
	s.ends.add(ends)
	t.open--
	if p.ordered {
		t.progress.add(part{from: p.from, spans: p.spans, ends: ends})
	}
}

// advance moves the position past the tickets that are settled, and releases
// their records; of the first that is not, it takes the spans that are. It tells
// whether anything moved.
func (s *Sink) advance() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.tickets) && s.tickets[n].open == 0 {
		t := s.tickets[n]
		s.committed.add(t.ends.less(t.progress.noted))
		s.position, s.within = t.end, 0
		if t.record != nil {
			s.passed(t.record)
			t.record.Release()
		}
		s.tickets[n] = nil
		n++
	}
	s.tickets = s.tickets[n:]
	moved := n > 0
	if len(s.tickets) > 0 {
		if t := s.tickets[0]; t.progress.ends != t.progress.noted {
			s.committed.add(t.progress.ends.less(t.progress.noted))
			t.progress.noted = t.progress.ends
			s.position, s.within = t.record.Position, t.progress.taken
			moved = true
		}
	}
	s.moved = s.moved || moved
	return moved
}

// passed remembers where a record that is behind the position began. The caller holds mu.
func (s *Sink) passed(record *journal.Record) {
	s.recent = append(s.recent, record.Position)
	drop := max(0, len(s.recent)-recentRecords)
	for drop < len(s.recent)-1 && record.End-s.recent[drop] > recentBytes {
		drop++
	}
	s.recent = append(s.recent[:0], s.recent[drop:]...)
}

// keep notes what found its end. It is called as soon as something did, since a
// kill before that repeats it. Safe for concurrent use.
func (s *Sink) keep() {
	if s.advance() {
		_ = s.note() // one that cannot be written is no loss: the file is what counts
	}
}

// hasMoved tells whether the position moved since the last call.
func (s *Sink) hasMoved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := s.moved
	s.moved = false
	return moved
}

// begun gives how many spans of a record found their end in a process before this one.
func (p *pump) begun(record *journal.Record) int64 {
	if p.within == 0 || record.Position != p.begin {
		return 0
	}
	return min(p.within, int64(record.Items))
}
