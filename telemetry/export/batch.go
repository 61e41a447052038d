package export

import (
	"encoding/binary"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// counts are the ends that spans find.
type counts struct {
	Sent         int64 `json:"sent"`
	Rejected     int64 `json:"rejected"` // among Sent
	DeadLettered int64 `json:"dead_lettered"`
	Expired      int64 `json:"expired"`
	SampledOut   int64 `json:"sampled_out,omitempty"`
	Promoted     int64 `json:"promoted,omitempty"` // were SampledOut before
	Repeated     int64 `json:"repeated,omitempty"`
}

func (c *counts) add(d counts) {
	c.Sent += d.Sent
	c.Rejected += d.Rejected
	c.DeadLettered += d.DeadLettered
	c.Expired += d.Expired
	c.SampledOut += d.SampledOut
	c.Promoted += d.Promoted
	c.Repeated += d.Repeated
}

// less gives what c has more than d.
func (c counts) less(d counts) counts {
	return counts{
		Sent: c.Sent - d.Sent, Rejected: c.Rejected - d.Rejected, DeadLettered: c.DeadLettered - d.DeadLettered,
		Expired: c.Expired - d.Expired, SampledOut: c.SampledOut - d.SampledOut, Promoted: c.Promoted - d.Promoted,
		Repeated: c.Repeated - d.Repeated,
	}
}

// settled is how many spans found their end.
func (c counts) settled() int64 {
	return c.Sent + c.DeadLettered + c.Expired + c.SampledOut + c.Repeated
}

// ticket is a record that was read and whose spans did not all find their end.
// The position passes a ticket when it and all before it have.
type ticket struct {
	record *journal.Record // nil for what expired
	end    journal.Position
	open   int // pieces not settled
	ends   counts
	// progress is of the pieces that are in their record's order.
	progress progress
}

// route is where a batch goes; a request holds one.
type route struct {
	project, tenant string
	// path is that of the run protocol which the batch is in; "" for OTLP.
	path string
}

// piece is a record, or some of its spans.
type piece struct {
	ticket *ticket
	spans  int64
	// whole tells that the piece is its record as it came.
	whole bool
	// ordered tells that the piece is spans of its record that follow each other
	// there, the first after from others, and that no span of the record is left out.
	ordered bool
	from    int64
	// data is the request, decompressed. It is nil while a whole record has not
	// been asked for it.
	data []byte
	// runs are what the piece holds in place of spans, and length their size.
	runs   []langsmith.Parcel
	length int
	// fault is why the piece cannot be made into what the sink may have; nil if it can.
	fault error
}

// bytes gives the piece's request, decompressed.
func (p *piece) bytes() ([]byte, error) {
	if p.fault != nil {
		return nil, p.fault
	}
	if p.runs != nil {
		return p.asBody(), nil
	}
	if p.data != nil {
		return p.data, nil
	}
	data, err := p.ticket.record.Data()
	if err != nil {
		return nil, err
	}
	p.data = data
	return data, nil
}

// size estimates the bytes before compression, without decompressing.
func (p *piece) size() int {
	if p.runs != nil {
		return p.length
	}
	if p.data != nil {
		return len(p.data)
	}
	body := p.ticket.record.Body
	if p.ticket.record.Encoding == journal.Gzip && len(body) >= 4 {
		return max(len(body), int(binary.LittleEndian.Uint32(body[len(body)-4:])))
	}
	return len(body)
}

// batch is what one request carries.
type batch struct {
	route
	pieces []piece
	spans  int64
	size   int       // before compression, partly estimated
	oldest time.Time // when its first span was admitted
	// timeouts counts the attempts in a row that the sink did not answer in time.
	timeouts int
	// faults counts the server errors in a row, the first of them at doubted.
	faults  int
	doubted time.Time
}

func (b *batch) add(p piece, admitted time.Time) {
	if len(b.pieces) == 0 {
		b.oldest = admitted
	}
	b.pieces = append(b.pieces, p)
	b.spans += p.spans
	b.size += p.size()
}

// halves splits a batch in two: between records, else between the spans of its
// one record, which then is two pieces. It gives nothing where there is a single
// span, or a body that cannot be split.
func (b *batch) halves() (left, right *batch, ok bool) {
	if n := len(b.pieces); n > 1 {
		left, right = &batch{route: b.route}, &batch{route: b.route}
		for i, p := range b.pieces {
			half := left
			if i >= n/2 {
				half = right
			}
			half.add(p, b.oldest)
		}
		return left, right, true
	}
	if b.spans < 2 {
		return nil, nil, false
	}
	p := &b.pieces[0]
	if p.runs != nil {
		left, right = &batch{route: b.route}, &batch{route: b.route}
		return left, right, p.halveRuns(left, right, b)
	}
	data, err := p.bytes()
	if err != nil {
		return nil, nil, false
	}
	total, err := countSpans(data)
	if err != nil || total < 2 {
		return nil, nil, false
	}
	middle := total / 2
	leftData, rightData, err := splitSpans(data, middle)
	if err != nil {
		return nil, nil, false
	}
	left, right = &batch{route: b.route}, &batch{route: b.route}
	// The record's own count is the one that was admitted.
	inLeft := min(middle, b.spans-1)
	ordered := p.ordered && total == b.spans
	left.add(piece{ticket: p.ticket, spans: inLeft, data: leftData, ordered: ordered, from: p.from}, b.oldest)
	right.add(piece{ticket: p.ticket, spans: b.spans - inLeft, data: rightData, ordered: ordered, from: p.from + inLeft}, b.oldest)
	return left, right, true
}
