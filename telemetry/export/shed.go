package export

import (
	"encoding/hex"
	"slices"

	"github.com/google/uuid"
	"github.com/zeebo/xxh3"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/semconv"
)

const (
	// mostShed bounds the traces that were left out and can be sent after all, and
	// mostShedRecords the records that are remembered of each.
	mostShed        = 1 << 16
	mostShedRecords = 16
	// mostShedIDs bounds the ids by which they are known, and mostDisliked the runs that
	// were judged badly before they came.
	mostShedIDs  = 1 << 18
	mostDisliked = 1 << 14
)

// spanSpanID is the field number of a span's own id.
const spanSpanID = 2

// dislikedBelow is the score below which a judgement is a bad one.
const dislikedBelow = 0.5

// shed remembers where the traces are that were left out, by every id by which their
// runs may be judged, and which runs were judged badly before anything came of them.
// It is of this process's life, and bounded: the oldest go first.
type shed struct {
	at       recent[[]journal.Position] // by the hash of the trace's id
	traces   recent[uint64]             // by the hash of an id: the trace's
	disliked recent[struct{}]           // by the hash of an id
}

// recent is a map that holds so many of what was put last.
type recent[V any] struct {
	of    map[uint64]V
	queue []uint64
}

func (r *recent[V]) put(key uint64, v V, most int) {
	if r.of == nil {
		r.of = make(map[uint64]V)
	}
	if _, known := r.of[key]; !known {
		r.queue = append(r.queue, key)
	}
	r.of[key] = v
	for len(r.queue) > most {
		delete(r.of, r.queue[0])
		r.queue = r.queue[1:]
	}
}

// hashOf is that of an id in whatever spelling.
func hashOf(id string) uint64 { return xxh3.HashString(judgement.Canonical(id)) }

// idsOf tells the hashes of the ids by which a span's run may be judged.
func idsOf(span []byte, tell func(uint64)) {
	if trace := lastField(span, spanTraceID); len(trace) == 16 {
		tell(xxh3.HashString(uuid.UUID(trace).String()))
	}
	if id := lastField(span, spanSpanID); len(id) == 8 {
		tell(hashOf(hex.EncodeToString(id)))
	}
	for _, name := range [...]string{semconv.LSSpanID, semconv.TreqRunID} {
		if id := stringAttribute(span, name); id != "" {
			tell(hashOf(id))
		}
	}
}

// isDisliked tells whether a span's run was judged badly before.
func (s *shed) isDisliked(span []byte) (yes bool) {
	if len(s.disliked.of) > 0 {
		idsOf(span, func(id uint64) {
			_, known := s.disliked.of[id]
			yes = yes || known
		})
	}
	return yes
}

// add remembers a span that was left out with its record.
func (s *shed) add(trace uint64, span []byte, at journal.Position) {
	where := s.at.of[trace]
	if !slices.Contains(where, at) && len(where) < mostShedRecords {
		s.at.put(trace, append(where, at), mostShed)
	}
	idsOf(span, func(id uint64) { s.traces.put(id, trace, mostShedIDs) })
}

// dislike takes a bad judgement of a run. It gives the trace, 0 for one of which nothing
// was left out, and the records that were, oldest first, and forgets these.
func (s *shed) dislike(run string) (trace uint64, records []journal.Position) {
	id := hashOf(run)
	s.disliked.put(id, struct{}{}, mostDisliked)
	trace, known := s.traces.of[id]
	if !known {
		return 0, nil
	}
	records = s.at.of[trace]
	delete(s.at.of, trace)
	slices.Sort(records)
	return trace, records
}

// promote sends what was left out of traces that a record judges badly. What is no
// longer in the journal is not sent.
func (p *pump) promote(record *journal.Record) {
	body, err := record.Data()
	if err != nil {
		return // whoever counts tells of it
	}
	// A record that does not scan was counted as damaged by whoever counts.
	_ = judgement.Each(body, func(j judgement.Judgement) {
		if j.Deleted || !j.Scored || j.Score >= dislikedBelow || j.RunID == "" {
			return
		}
		trace, records := p.thrift.shed.dislike(j.RunID)
		if trace != 0 {
			p.thrift.keep(trace)
		}
		for _, at := range records {
			p.again(trace, at, record.End)
		}
	})
}

// again puts what a record has of a trace into the batches. Until it has its end, the
// record that asked for it is not passed.
func (p *pump) again(trace uint64, at, end journal.Position) {
	s := p.sink
	cursor, err := s.reopen("sink-again:"+s.config.Name, at)
	if err != nil {
		s.log.Warn("a trace that was left out cannot be read again", "error", err)
		return
	}
	defer cursor.Close()
	record, err := cursor.TryNext()
	if err != nil || record == nil {
		return
	}
	if record.Position != at || !s.config.takes(record.Kind) {
		record.Release() // retention has let go of it
		return
	}
	t := &ticket{record: record, end: end}
	pieces, spans := p.partOf(t, trace)
	if len(pieces) == 0 {
		record.Release()
		return
	}
	t.open = len(pieces)
	t.ends = counts{SampledOut: -spans, Promoted: spans}
	s.mu.Lock()
	s.ends.add(t.ends)
	s.tickets = append(s.tickets, t)
	s.mu.Unlock()
	for _, routed := range pieces {
		p.thrift.plan.charge(float64(routed.spans), float64(routed.piece.size()))
		p.put(routed.route, routed.piece, record)
	}
}

// partOf gives what a record has of a trace as it goes to the sink.
func (p *pump) partOf(t *ticket, trace uint64) (pieces []routed, spans int64) {
	data, err := t.record.Data()
	if err != nil {
		return nil, 0
	}
	if t.record.Kind == journal.Runs {
		return p.runsOf(t, data, trace)
	}
	part, spans, err := selectSpans(data, func(span []byte) bool { return xxh3.Hash(lastField(span, spanTraceID)) == trace })
	if err != nil || spans == 0 {
		return nil, 0
	}
	whole := piece{ticket: t, spans: spans, data: part}
	p.finish(&whole, part)
	return p.route(whole), spans
}
