package runs

import (
	"context"
	"slices"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/understand"
)

// mostRead bounds the records that one list of judgements is read from: of more, the
// newest.
const mostRead = 5000

// Judgement gives what holds of the judgement with an id, Deleted if it was withdrawn.
// The error is of kind NotFound where the index has none, Unavailable where it is
// still being made.
func (v *Viewer) Judgement(ctx context.Context, id string) (j judgement.Judgement, err error) {
	v.follows(ctx)
	key := understand.ParseRunID([]byte(id))
	v.judged.mu.Lock()
	pos, known := v.judged.latest[key]
	v.judged.mu.Unlock()
	found := false
	if known {
		err = v.visit(ctx, []journal.Position{pos}, holds, func(_ *journal.Record, body []byte) bool {
			_ = judgement.Each(body, func(said judgement.Judgement) { // what is damaged says nothing
				if understand.ParseRunID([]byte(said.ID)) == key {
					j, found = said, true
				}
			})
			return true
		})
	}
	switch {
	case err != nil:
		return judgement.Judgement{}, err
	case found:
		return j, nil
	case !v.isRebuilt():
		return j, errIndexing()
	}
	return j, telemetry.Errorf(telemetry.NotFound, "no judgement %.80q is in the journal", id)
}

// Judgements lists what holds of the judgements of some runs, of all for none, what was
// said last first; withdrawn ones are left out. Of very many the oldest are missing. The
// error is of kind Unavailable while the index is made.
func (v *Viewer) Judgements(ctx context.Context, runs []string) (list []judgement.Judgement, err error) {
	v.follows(ctx)
	if !v.isRebuilt() {
		return nil, errIndexing()
	}
	wanted := make(map[understand.RunID]bool, len(runs))
	for _, run := range runs {
		wanted[understand.ParseRunID([]byte(run))] = true
	}
	at := map[string]int{}
	err = v.visit(ctx, v.judged.positions(wanted), holds, func(_ *journal.Record, body []byte) bool {
		_ = judgement.Each(body, func(j judgement.Judgement) { // what is damaged says nothing
			if len(wanted) > 0 && (j.RunID == "" || !wanted[understand.ParseRunID([]byte(j.RunID))]) {
				return
			}
			if i, again := at[j.ID]; again {
				list[i].ID = "" // what holds was said last
			}
			at[j.ID] = len(list)
			list = append(list, j)
		})
		return true
	})
	list = slices.DeleteFunc(list, func(j judgement.Judgement) bool { return j.ID == "" || j.Deleted })
	slices.Reverse(list)
	return list, err
}

func errIndexing() error {
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the judgements that the journal holds are still being read; try again", RetryAfter: again}
}

// positions gives where the runs were judged, all runs for none, the newest of many.
func (x *judged) positions(runs map[understand.RunID]bool) (list []journal.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for run := range runs {
		list = append(list, x.at[run]...)
	}
	if len(runs) == 0 {
		for _, j := range x.queue {
			list = append(list, j.pos)
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return list[max(0, len(list)-mostRead):]
}

// follows waits, not for long, until what was acknowledged is known: the spans of native
// runs are in the journal, and indexed. What lags says what it has.
func (v *Viewer) follows(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	if v.o.Merged != nil {
		_ = v.o.Merged(ctx, v.o.Journal.Durable())
	}
	_ = v.index.reached.Await(ctx, v.o.Journal.Durable())
}

// isRebuilt tells whether what was kept at the start is indexed, as far as there is
// room.
func (v *Viewer) isRebuilt() bool {
	select {
	case <-v.rebuilt:
		return true
	default:
		return false
	}
}
