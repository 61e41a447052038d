package export

import (
	"slices"

	"treq/telemetry/langsmith"
)

// aloft counts, for each run, the requests on their way that tell of it. What is told
// of a run goes in the order in which it came, however many requests run at once: a
// beginning that arrives behind the end may take the end's place there, and a change
// alone of a run that is not known yet is refused. It is the pump's.
type aloft map[langsmith.ID]int

// left notes that a batch leaves, and gives the runs that landed is to be told.
func (a aloft) left(b *batch) (runs []langsmith.ID) {
	for i := range b.pieces {
		for j := range b.pieces[i].runs {
			id := b.pieces[i].runs[j].ID
			runs = append(runs, id)
			a[id]++
		}
	}
	return runs
}

func (a aloft) landed(runs []langsmith.ID) {
	for _, id := range runs {
		if a[id]--; a[id] == 0 {
			delete(a, id)
		}
	}
}

// first gives the first batch of which no run is aloft or in a batch before it, -1 if
// there is none.
func (a aloft) first(ready []*batch) int {
	if len(a) == 0 {
		return min(len(ready), 1) - 1
	}
	before := map[langsmith.ID]bool{}
	return slices.IndexFunc(ready, func(b *batch) bool {
		free := !b.tells(func(id langsmith.ID) bool { return a[id] > 0 || before[id] })
		if !free {
			b.tells(func(id langsmith.ID) bool { before[id] = true; return false })
		}
		return free
	})
}

// tells tells whether a batch has something of a run that is.
func (b *batch) tells(is func(langsmith.ID) bool) bool {
	for i := range b.pieces {
		if slices.ContainsFunc(b.pieces[i].runs, func(p langsmith.Parcel) bool { return is(p.ID) }) {
			return true
		}
	}
	return false
}

// closeTelling closes the batches that tell of a run, so that what comes alone of it
// does not pass them.
func (p *pump) closeTelling(run langsmith.ID) {
	for i := len(p.filling) - 1; i >= 0; i-- {
		if p.filling[i].tells(func(id langsmith.ID) bool { return id == run }) {
			p.closeBatch(i)
		}
	}
}
