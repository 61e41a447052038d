package runs

import (
	"context"
	"slices"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

const (
	// DefaultList and MostListed are how many runs a list has if nobody says, and at most.
	DefaultList = 50
	MostListed  = 200
	// A list is made of this much of the journal at most.
	listRecords = 256
	listBytes   = 16 << 20
)

// Recent gives the newest runs of GenAI activity, at most limit of them (1 to
// MostListed; 0 is DefaultList), the one that was last heard of first. It looks at
// a bounded number of the newest records: a run whose root came earlier is listed
// by its earliest span there.
func (v *Viewer) Recent(ctx context.Context, limit int) (*List, error) {
	if limit == 0 {
		limit = DefaultList
	}
	short, cancel := context.WithTimeout(ctx, catchUp)
	_ = v.index.await(short, v.o.Journal.Durable()) // the list of a moment ago is one too
	cancel()
	_, indexed := v.index.reach()
	list := &List{Runs: []Summary{}, IndexedFrom: Time(indexed)}
	reader, err := understand.NewReader(v.o.Rules)
	if err != nil {
		return nil, err
	}
	s := sampler{reader: reader, traces: make(map[[16]byte]*sample)}
	if from, some := v.index.newest(listRecords, listBytes); some {
		if list.From, err = v.sample(ctx, from, &s); err != nil {
			return nil, err
		}
	}
	var scanner otlp.Scanner
	_ = scanner.Traces(v.o.Going([16]byte{}), &s)
	list.Runs = s.newest(limit)
	return list, nil
}

// sample tells a sampler the records from a position on, and gives when the first
// of them was admitted.
func (v *Viewer) sample(ctx context.Context, from journal.Position, s *sampler) (first Time, err error) {
	c, done, err := v.lend(ctx, from)
	if err != nil {
		return first, err
	}
	defer done()
	var scanner otlp.Scanner
	err = eachRecord(ctx, c, v.o.Journal.Durable(), func(rec *journal.Record, body []byte) bool {
		if s.records == 0 {
			first = Time(rec.Admitted)
		}
		s.records++
		_ = scanner.Traces(body, s) // a damaged record lists nothing
		return true
	})
	return first, err
}

// sampler gathers the heads of traces.
type sampler struct {
	reader  *understand.Reader
	read    understand.Span
	traces  map[[16]byte]*sample
	records int
	seen    int
}

type sample struct {
	trace [16]byte
	head  *Span
	spans int
	genai bool
	last  int // when it was last heard of, counted in spans
}

func (s *sampler) Resource(r *otlp.Resource) { s.reader.Resource(r) }

func (s *sampler) Scope(sc *otlp.Scope) { s.reader.Scope(sc) }

func (s *sampler) Span(sp *otlp.Span) {
	t := s.traces[sp.TraceID]
	if t == nil {
		t = &sample{trace: sp.TraceID}
		s.traces[sp.TraceID] = t
	}
	s.reader.Read(sp, &s.read)
	s.seen++
	t.last = s.seen
	t.spans++
	t.genai = t.genai || stateIn(sp) != "" || s.read.Kind != semconv.KindOther || s.read.Flags.Has(understand.Entry)
	if t.head == nil || heads(sp, &s.read, t.head) {
		t.head = spanOf(sp, &s.read)
	}
}

// heads tells whether a span stands for its trace rather than another: one without
// a parent before one with, then the earlier.
func heads(sp *otlp.Span, u *understand.Span, than *Span) bool {
	root, other := sp.ParentID == [8]byte{}, than.parent == [8]byte{}
	if root != other {
		return root
	}
	return u.Start < than.start
}

func (s *sampler) newest(limit int) []Summary {
	var heard []*sample
	for _, t := range s.traces {
		if t.genai {
			heard = append(heard, t)
		}
	}
	slices.SortFunc(heard, func(a, b *sample) int { return b.last - a.last })
	runs := make([]Summary, 0, min(limit, len(heard)))
	for _, t := range heard[:min(limit, len(heard))] {
		runs = append(runs, summaryOf(t.trace, t.head, t.spans))
	}
	return runs
}
