package runs

import (
	"context"

	"treq/telemetry/journal"
)

// stretchOf is the piece of the journal that has all records of a listed trace.
type stretchOf struct {
	trace       [16]byte
	first, last journal.Position
}

// place gives where the records of a listed run lie: of the trace that was found, or,
// where nothing was, of the one that the id means in the list. A list holds more runs
// than the index of all ids does.
func (t *rows) place(w *wanted, p *place) (stretchOf, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	of := func(r *row) (stretchOf, bool) { return stretchOf{r.trace, r.first, r.heard}, true }
	trace := p.trace
	if !p.any {
		trace = w.run
	}
	if r, _ := t.find(&trace); r != nil {
		return of(r)
	}
	if p.any {
		return stretchOf{}, false
	}
	for k := len(t.chunks) - 1; k >= 0; k-- {
		rows := t.chunks[k].rows
		for i := len(rows) - 1; i >= 0; i-- {
			if r := &rows[i]; !r.flags.has(isDead) && (r.run == w.run || w.bySpan && r.head == w.span) {
				return of(r)
			}
		}
	}
	return stretchOf{}, false
}

// readRow finds the records of a listed trace that lie below the index, within
// Options.SearchTime.
func (v *Viewer) readRow(ctx context.Context, w *wanted, p *place, row stretchOf) error {
	floor, _ := v.index.reach()
	if row.first >= floor {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, v.o.SearchTime)
	defer cancel()
	c, done, err := v.lend(ctx, row.first)
	if err != nil {
		return p.search.ended(err)
	}
	defer done()
	whole := wanted{run: row.trace}
	err = eachRecord(ctx, c, min(row.last+1, floor), func(rec *journal.Record, body []byte) bool {
		if f := (found{}); f.take(&whole, body) {
			p.positions = append(p.positions, rec.Position)
			p.take(w, body)
		}
		return len(p.positions) < mostRecords
	})
	return p.search.ended(err)
}
