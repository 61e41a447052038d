package export

import (
	"slices"

	"treq/telemetry/journal"
)

// take puts a record into the batches of its routes, and gives it a ticket.
func (p *pump) take(record *journal.Record) {
	if record.Position != p.read {
		p.gap(record.Position)
	}
	p.fresh = false
	p.read = record.End
	if p.thrift != nil && (record.Kind == journal.Posts || record.Kind == journal.Logs) {
		p.promote(record)
	}
	if !p.sink.config.takes(record.Kind) || record.Items == 0 {
		p.skip(record)
		return
	}
	begun := p.begun(record)
	spans := int64(record.Items) - begun
	if spans == 0 {
		p.skip(record)
		return
	}
	p.passed += spans
	t := &ticket{record: record, end: record.End, progress: progress{taken: begun}}
	var pieces []routed
	if record.Kind == journal.Runs {
		pieces = p.runs(t, spans)
	} else if whole, any := p.prepare(t, spans); any {
		pieces = p.cut(p.route(whole))
	}
	t.open = len(pieces)
	p.sink.mu.Lock()
	p.sink.tickets = append(p.sink.tickets, t)
	p.sink.mu.Unlock()
	for _, routed := range pieces {
		p.put(routed.route, routed.piece, record)
	}
}

// skip passes a record that holds nothing for a sink.
func (p *pump) skip(record *journal.Record) {
	s := p.sink
	s.mu.Lock()
	if n := len(s.tickets); n > 0 {
		s.tickets[n-1].end = record.End
	} else {
		s.position, s.within = record.End, 0
		p.dirty = true
	}
	s.mu.Unlock()
	record.Release()
}

// gap accounts for what was lost before it was read, to retention or to the
// disk: exactly, where the tally came by before; else as the journal counted it.
func (p *pump) gap(at journal.Position) {
	lost, any := p.lost.grow(p.cursor)
	admitted, known := int64(0), false
	if _, err := p.sink.tally.reach(at); err == nil {
		admitted, known = p.sink.tally.at(at)
	}
	switch {
	case known:
		lost = admitted - p.passed
	case !any || p.fresh:
		return
	default:
		lost -= p.within // of the record at the beginning, which is among what was lost
		p.within = 0
	}
	if lost <= 0 {
		return
	}
	p.passed += lost
	s := p.sink
	s.mu.Lock()
	ends := counts{Expired: lost}
	s.ends.add(ends)
	s.tickets = append(s.tickets, &ticket{end: at, ends: ends})
	s.mu.Unlock()
	s.log.Error("the journal let go of spans before the sink took them", "spans", lost)
}

// routed is a piece and where it goes.
type routed struct {
	route
	piece
}

// route finds the project and tenant of a record: what its client said in
// headers, else what its spans say, else what is configured. Only what the
// profile can tell the backend separates batches.
func (p *pump) route(whole piece) []routed {
	t := whole.ticket
	record, profile := t.record, p.sink.sender.profile
	var to route
	if profile.tenantHeader != "" {
		if to.tenant = record.Tenant; to.tenant == "" || profile.ownTenant {
			to.tenant = p.sink.config.Tenant
		}
	}
	if profile.projectHeader == "" {
		return []routed{{to, whole}}
	}
	if to.project = record.Project; to.project != "" {
		return []routed{{to, whole}}
	}
	to.project = p.sink.config.Project
	of := whole
	data, err := of.bytes()
	if err != nil {
		// Packing finds the same, and buries the record.
		return []routed{{to, whole}}
	}
	parts, err := shares(data, profile.projectAttribute, to.project, whole.spans)
	if err != nil {
		return []routed{{to, whole}}
	}
	if len(parts) == 1 {
		to.project = parts[0].project
		return []routed{{to, whole}}
	}
	all := make([]routed, len(parts))
	for i, part := range parts {
		to.project = part.project
		all[i] = routed{to, piece{ticket: t, spans: part.spans, data: part.data}}
	}
	return all
}

// put adds a piece to the batch of its route, and closes what is full.
func (p *pump) put(to route, piece piece, record *journal.Record) {
	c := p.sink.config
	size := piece.size()
	alone := piece.passes() && c.Compression == Gzip && size >= passBytes && p.sink.sender.members.known() == readsOne
	most := p.most()
	if to.path != "" {
		if alone = to.path != pathMultipart; alone {
			p.closeTelling(piece.runs[0].ID)
		}
		most = min(most, opsInRequest)
	}
	i := slices.IndexFunc(p.filling, func(b *batch) bool { return b.route == to })
	if i >= 0 && (alone || p.filling[i].size+size > c.BatchBytes || p.filling[i].spans+piece.spans > most) {
		p.closeBatch(i)
		i = -1
	}
	if i < 0 {
		i = len(p.filling)
		p.filling = append(p.filling, &batch{route: to})
	}
	b := p.filling[i]
	b.add(piece, record.Admitted)
	p.fillingSize += size
	if alone || b.size >= c.BatchBytes || b.spans >= most {
		p.closeBatch(i)
	}
	// Many routes together hold no more than one full batch.
	for p.fillingSize >= c.BatchBytes {
		p.closeBatch(0)
	}
}

// closeBatch makes a batch ready to go.
func (p *pump) closeBatch(i int) {
	b := p.filling[i]
	p.fillingSize -= b.size
	p.filling = slices.Delete(p.filling, i, i+1)
	p.ready = append(p.ready, b)
}
