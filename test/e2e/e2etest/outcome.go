package e2etest

// Outcome compares what was acknowledged with what a sink took. All figures are
// spans, each counted once.
type Outcome struct {
	Acked, Delivered int
	// Lost were acknowledged and are not at the sink, Altered are there otherwise
	// than they were sent, Unknown were never sent.
	Lost, Altered, Unknown int
	// Repeated were delivered more than once.
	Repeated int
}

// Compare tells what became of the spans so far.
func (l *Ledger) Compare(s *Sink) Outcome {
	delivered := s.Delivered()
	l.mu.Lock()
	defer l.mu.Unlock()
	o := Outcome{Acked: len(l.acked), Delivered: len(delivered)}
	for k := range l.acked {
		if delivered[k].Times == 0 {
			o.Lost++
		}
	}
	for k, d := range delivered {
		issued, ok := l.issued[k]
		switch {
		case !ok:
			o.Unknown++
		case issued != d.Digest:
			o.Altered++
		}
		if d.Times > 1 {
			o.Repeated++
		}
	}
	return o
}
