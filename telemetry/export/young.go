package export

import "time"

// A kill repeats the request whose answer was not noted: whether the sink took it,
// nobody here can know. How much that is, is a matter of how much a request holds.
const (
	// firstSpans and shareOfSent bound a request while the process is young.
	firstSpans  = 2
	shareOfSent = 64
	// firstOfFew is in the place of firstSpans where requests are counted.
	firstOfFew = 8
	// youth is how long records are sent in parts after the sink first took something.
	// A process that lives longer repeats at most a record more than its share, and
	// a sink that is far away would otherwise be fed by spoonfuls for minutes.
	youth = 5 * time.Second
	// cutBytes is the size up to which a record is sent in parts: of one beyond, the
	// copies would cost more than repeating it.
	cutBytes = 1 << 20
)

// firstOf gives how many spans the first requests hold.
func firstOf(c Config) int64 {
	if c.RequestsPerHour > 0 {
		return firstOfFew
	}
	return firstSpans
}

// most gives how many spans a request may hold. It grows with what this process has
// delivered: a process that is killed again and again, as by a supervisor that
// restarts it, repeats a small part of what it got done and not one full batch
// each time.
func (p *pump) most() int64 {
	p.sink.mu.Lock()
	done := p.sink.ends.Sent - p.before
	p.sink.mu.Unlock()
	return p.mostAfter(done)
}

func (p *pump) mostAfter(done int64) int64 {
	return min(int64(p.sink.config.BatchSpans), max(p.first, done/shareOfSent))
}

// young tells that what is killed now may have lived for moments only.
func (s *Sink) young(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firstGood.IsZero() || now.Sub(s.firstGood) < youth
}

// cut gives a record that is more than a young process sends at once in parts, each
// as large as it may be once those before it are delivered.
func (p *pump) cut(pieces []routed) []routed {
	if len(pieces) != 1 {
		return pieces
	}
	to, whole, most := pieces[0].route, pieces[0].piece, p.most()
	if !whole.ordered || whole.fault != nil || whole.spans <= most || most >= int64(p.sink.config.BatchSpans) {
		return pieces
	}
	if p.sink.config.RequestsPerHour > 0 || whole.size() > cutBytes || !p.sink.young(time.Now()) {
		return pieces
	}
	data, err := whole.bytes()
	if err != nil {
		return pieces // packing finds the same, and buries the record
	}
	// The number that was admitted is that of the account; parts are counted in spans.
	if n, err := countSpans(data); err != nil || n != whole.spans {
		return pieces
	}
	p.sink.mu.Lock()
	done := p.sink.ends.Sent - p.before
	p.sink.mu.Unlock()
	var sizes []int64
	for left := whole.spans; left > 0; left -= sizes[len(sizes)-1] {
		sizes = append(sizes, min(left, p.mostAfter(done+whole.spans-left)))
	}
	parts, err := cutSpans(data, sizes)
	if err != nil {
		return pieces
	}
	cut, from := make([]routed, len(parts)), whole.from
	for i, part := range parts {
		cut[i] = routed{to, piece{ticket: whole.ticket, spans: sizes[i], data: part, ordered: true, from: from}}
		from += sizes[i]
	}
	return cut
}
