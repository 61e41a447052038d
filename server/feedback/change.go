package feedback

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/langsmith"
)

// Kept finds the judgements that the log holds. Safe for concurrent use.
type Kept interface {
	// Judgement gives what holds of the judgement with an id, Deleted if it was
	// withdrawn; an error of kind NotFound where there is none.
	Judgement(ctx context.Context, id string) (judgement.Judgement, error)
	// Judgements lists those of some runs that hold, of all for none, what was said
	// last first.
	Judgements(ctx context.Context, runs []string) ([]judgement.Judgement, error)
}

// Find gives the judgement with an id. The error is of kind NotFound for one that is
// not in the log, or was withdrawn.
func (d *Door) Find(ctx context.Context, id string) (judgement.Judgement, error) {
	j, err := d.o.Kept.Judgement(ctx, judgement.Canonical(id))
	if err == nil && j.Deleted {
		err = telemetry.Errorf(telemetry.NotFound, "the judgement %.80q was withdrawn", id)
	}
	return j, err
}

// Query says which judgements are listed. Fields that are empty ask for nothing.
type Query struct {
	Runs, Keys, Sources []string
	Offset, Limit       int // Limit 0 is no limit
}

// List gives the judgements that a query asks for, what was said last first.
func (d *Door) List(ctx context.Context, q Query) ([]judgement.Judgement, error) {
	list, err := d.o.Kept.Judgements(ctx, q.Runs)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(j judgement.Judgement) bool {
		return len(q.Keys) > 0 && !slices.Contains(q.Keys, j.Key) || len(q.Sources) > 0 && !slices.Contains(q.Sources, j.Source)
	})
	list = list[min(q.Offset, len(list)):]
	if q.Limit > 0 {
		list = list[:min(q.Limit, len(list))]
	}
	return list, nil
}

// Change puts the fields of a form in the place of those of the judgement with an
// id: those of LangSmith's that may change. It counts in the place of what was said
// before; a change that changes nothing is not kept. The error is of kind NotFound,
// or a *fault.Validation.
func (d *Door) Change(ctx context.Context, id string, f Form) (judgement.Judgement, Receipt, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	was, err := d.Find(ctx, id)
	if err != nil {
		return was, Receipt{}, err
	}
	next, err := f.Change(was)
	if err != nil {
		return was, Receipt{}, err
	}
	if next.Same(&was) && bytes.Equal(next.Told, was.Told) {
		return was, Receipt{ID: was.ID, Repeated: true, Counted: d.counted(ctx, d.lastEnd(&was))}, nil
	}
	next.Changed = d.o.Now()
	receipt, err := d.keep(ctx, next)
	if err != nil {
		return was, Receipt{}, err
	}
	return next, Receipt{ID: next.ID, Counted: d.counted(ctx, receipt.End)}, nil
}

// Withdraw takes back the judgement with an id: it is shown and counted no longer,
// and sinks are told. What was withdrawn before may be withdrawn again. Where the
// same run has another of its key and source, that one counts again. The error is of
// kind NotFound for a judgement that is not in the log.
func (d *Door) Withdraw(ctx context.Context, id string) (Receipt, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	j, err := d.o.Kept.Judgement(ctx, judgement.Canonical(id))
	if err != nil {
		return Receipt{}, err
	}
	if j.Deleted {
		return Receipt{ID: j.ID, Repeated: true, Counted: d.counted(ctx, d.lastEnd(&j))}, nil
	}
	j.Deleted, j.Changed = true, d.o.Now()
	list := []judgement.Judgement{j}
	if j.RunID != "" {
		others, err := d.o.Kept.Judgements(ctx, []string{j.RunID})
		if err != nil {
			return Receipt{}, err
		}
		still := func(o judgement.Judgement) bool { return o.ID != j.ID && o.Slot() == j.Slot() }
		if i := slices.IndexFunc(others, still); i >= 0 {
			list = append(list, others[i])
		}
	}
	receipt, err := d.keep(ctx, list...)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{ID: j.ID, Counted: d.counted(ctx, receipt.End)}, nil
}

// lastEnd is up to where the last judgement of a slot has to be counted, 0 where that
// was long ago.
func (d *Door) lastEnd(j *judgement.Judgement) journal.Position {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[j.Slot()].end
}

// counted waits until everything before a position is counted; false if it takes too
// long.
func (d *Door) counted(ctx context.Context, end journal.Position) bool {
	ctx, cancel := context.WithTimeout(ctx, countWait)
	defer cancel()
	return d.o.Meter.Ready() == nil && d.o.Meter.WaitCounted(ctx, end) == nil
}

// Shape gives a judgement as LangSmith's clients read it. The map is the caller's.
func Shape(j *judgement.Judgement) map[string]json.RawMessage { return langsmith.FeedbackFields(j) }
