package runs

import (
	"context"
	"errors"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

const (
	// mostRecords bounds the records that one run is read from.
	mostRecords = 1000
	// mostID bounds the text of an id, in bytes.
	mostID = 256
	// catchUp is how long a request waits for what was acknowledged before it to be
	// merged and indexed.
	catchUp = time.Second
)

// wanted is an id in all the meanings that it may have.
type wanted struct {
	text string
	run  understand.RunID // also a trace id
	span [8]byte
	// bySpan tells that it may be a span id.
	bySpan bool
}

func want(text string) (wanted, error) {
	if text == "" || len(text) > mostID {
		return wanted{}, telemetry.Errorf(telemetry.Invalid, "a run id has 1 to %d bytes", mostID)
	}
	w := wantRun(understand.ParseRunID([]byte(text)))
	w.text = text
	return w, nil
}

// wantRun is want for an id that has no text any more.
func wantRun(run understand.RunID) wanted {
	w := wanted{run: run}
	if [8]byte(w.run[:8]) == ([8]byte{}) {
		w.span = [8]byte(w.run[8:])
		w.bySpan = w.span != [8]byte{}
	}
	return w
}

// ids are those that the index may know it by.
func (w *wanted) ids() [][]byte {
	ids := [][]byte{w.run[:]}
	if w.bySpan {
		ids = append(ids, w.span[:])
	}
	return ids
}

// match tells whether the id means a span's trace, or the span itself.
func (w *wanted) match(trace, span, run []byte) (whole, one bool) {
	if [16]byte(trace) == w.run {
		return true, false
	}
	if w.bySpan && [8]byte(span) == w.span {
		return false, true
	}
	return false, run != nil && understand.ParseRunID(run) == w.run
}

// found is what an id turned out to mean.
type found struct {
	trace [16]byte
	// span is the one that was meant, zero if the whole trace was.
	span [8]byte
	any  bool
}

// take takes what a record has of an id: a trace rather than a span, a newer one
// rather than an older.
func (f *found) take(w *wanted, body []byte) (some bool) {
	eachSpan(body, func(trace, span, run []byte, _ bool) {
		switch whole, one := w.match(trace, span, run); {
		case whole:
			*f, some = found{trace: [16]byte(trace), any: true}, true
		case one:
			some = true
			if !f.any || f.span != [8]byte{} {
				*f = found{trace: [16]byte(trace), span: [8]byte(span), any: true}
			}
		}
	})
	return some
}

// place is where a run's records are.
type place struct {
	found
	positions []journal.Position
	search    Search
	going     []byte // by which a run was found that goes on; it may end meanwhile
}

// Search says how far back was looked for a run.
type Search struct {
	// IndexedFrom is from when on the index has everything.
	IndexedFrom Time `json:"indexed_from"`
	// SearchedFrom is from when on records were looked at besides; null if only the
	// index was asked.
	SearchedFrom *Time `json:"searched_from"`
	// Complete is false when the time for the search ended before the oldest record.
	Complete bool `json:"complete"`
}

// locate finds the records of the run that an id means. The error is of kind
// NotFound if there are none in what was searched, and says what that was.
func (v *Viewer) locate(ctx context.Context, w wanted) (place, error) {
	v.follows(ctx)
	var p place
	_, from := v.index.reach()
	p.search = Search{IndexedFrom: Time(from), Complete: true}
	if err := v.locateIndexed(ctx, &w, &p); err != nil {
		return place{}, err
	}
	row, listed := v.rows.place(&w, &p)
	if listed {
		if err := v.readRow(ctx, &w, &p, row); err != nil {
			return place{}, err
		}
	}
	if !p.any {
		if err := v.searchOlder(ctx, &w, &p); err != nil {
			return place{}, err
		}
	}
	if !p.any {
		return place{}, missing(&w, &p.search)
	}
	p.positions = append(p.positions, v.index.find(mostRecords, p.trace[:])...)
	return p, nil
}

// locateIndexed takes what the index alone has of an id.
func (v *Viewer) locateIndexed(ctx context.Context, w *wanted, p *place) error {
	return v.at(ctx, v.index.find(mostRecords, w.ids()...), func(_ *journal.Record, body []byte) bool {
		p.take(w, body)
		return true
	})
}

// locateGoing finds a run that goes on, or that was not found because it stopped going on,
// or was indexed, while it was looked for. Else it gives the error of the search.
func (v *Viewer) locateGoing(ctx context.Context, w wanted, missing error) (place, error) {
	p := place{search: Search{Complete: true}, going: v.o.Going(w.run)}
	if !p.take(&w, p.going) {
		v.follows(ctx)
		if err := v.locateIndexed(ctx, &w, &p); err != nil {
			return place{}, err
		}
		if !p.any {
			return place{}, missing
		}
	}
	// Of a run that goes on what has ended is in the journal already.
	p.positions = v.index.find(mostRecords, p.trace[:])
	return p, nil
}

func missing(w *wanted, s *Search) error {
	from := s.IndexedFrom
	if s.SearchedFrom != nil {
		from = *s.SearchedFrom
	}
	if s.Complete {
		return telemetry.Errorf(telemetry.NotFound, "no run %.80q is in the journal, which reaches back to %s", w.text, from)
	}
	return telemetry.Errorf(telemetry.NotFound,
		"no run %.80q since %s; there are older records, for which the time of one search was not enough", w.text, from)
}

// searchOlder looks through what is kept below the index, the newest segments
// first, within Options.SearchTime.
func (v *Viewer) searchOlder(ctx context.Context, w *wanted, p *place) error {
	floor, _ := v.index.reach()
	var segments []journal.Segment
	for _, s := range v.o.Journal.Segments() {
		if s.Base < floor && s.Records > 0 {
			segments = append(segments, s)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, v.o.SearchTime)
	defer cancel()
	for i := len(segments) - 1; i >= 0; i-- {
		err := v.scan(ctx, segments[i], floor, func(_ journal.Position, body []byte) { p.take(w, body) })
		if err != nil {
			return p.search.ended(err)
		}
		first := Time(segments[i].First)
		p.search.SearchedFrom = &first
		if !p.any {
			continue
		}
		return p.search.ended(v.spread(ctx, segments, i, floor, p))
	}
	return nil
}

// spread finds all of a trace that was met in one of the segments: in that, and in
// those before and behind as far as each holds some of it.
func (v *Viewer) spread(ctx context.Context, segments []journal.Segment, i int, floor journal.Position, p *place) error {
	whole := wanted{run: p.trace}
	some := func(s journal.Segment) (met bool, err error) {
		err = v.scan(ctx, s, floor, func(pos journal.Position, body []byte) {
			if f := (found{}); f.take(&whole, body) && len(p.positions) < mostRecords {
				p.positions = append(p.positions, pos)
				met = true
			}
		})
		return met, err
	}
	for at := i; at >= 0; at-- {
		met, err := some(segments[at])
		if err != nil {
			return err
		}
		if !met {
			break
		}
	}
	for at := i + 1; at < len(segments); at++ {
		if met, err := some(segments[at]); !met || err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ended notes that the time was over; any other error is one.
func (s *Search) ended(err error) error {
	if err == nil {
		return nil
	}
	s.Complete = false
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// scan tells the records of spans of a segment that lie below a position.
func (v *Viewer) scan(ctx context.Context, s journal.Segment, below journal.Position, see func(pos journal.Position, body []byte)) error {
	c, done, err := v.lend(ctx, s.Base)
	if err != nil {
		return err
	}
	defer done()
	return eachRecord(ctx, c, min(s.End, below), func(rec *journal.Record, body []byte) bool {
		see(rec.Position, body)
		return true
	})
}
