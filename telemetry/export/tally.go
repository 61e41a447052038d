package export

import (
	"slices"
	"sync"

	"treq/telemetry/journal"
)

// tally counts what a sink has to send. It reads ahead of the sink, headers
// only, so that the number of spans that wait is known and not guessed, however
// far behind the sink is. Safe for concurrent use.
type tally struct {
	mu    sync.Mutex
	cur   Cursor
	takes func(journal.Kind) bool
	tallyState
	lost  losses
	fresh bool // nothing was read yet, and nothing is owed from before
}

// tallyState is what of a tally outlives the process.
type tallyState struct {
	// Position is up to where was counted.
	Position journal.Position `json:"position"`
	// Admitted is how many spans lie between the sink's first record and Position.
	Admitted int64 `json:"admitted"`
	// Marks are the counts at the places where records do not follow each other
	// directly, which is where retention cuts.
	Marks []mark `json:"marks"`
}

// losses remembers what of a cursor's losses was seen.
type losses struct{ items, bytes uint64 }

// grow gives the items that were lost since the last call, as far as the journal
// knows them, and whether anything was.
func (l *losses) grow(c Cursor) (items int64, any bool) {
	_, expired, bytes := c.Expired()
	_, damaged := c.Damaged()
	before := *l
	*l = losses{expired + damaged, bytes}
	return int64(l.items - before.items), *l != before
}

// mark says how many spans were admitted before a position.
type mark struct {
	Position journal.Position `json:"position"`
	Admitted int64            `json:"admitted"`
}

// advance counts up to limit records and tells whether it reached the tail. The
// caller holds mu.
func (t *tally) advance(limit int) (bool, error) {
	defer func() { t.cur.Commit(t.Position) }()
	for range limit {
		record, err := t.cur.TryNext()
		if err != nil || record == nil {
			return true, err
		}
		if record.Position != t.Position {
			t.gap(record.Position)
		}
		t.fresh = false
		if t.takes(record.Kind) {
			t.Admitted += int64(record.Items)
		}
		t.Position = record.End
		record.Release()
	}
	return false, nil
}

// gap takes in what was lost before it was counted, which happens only when
// nothing ran for long, and marks the place.
func (t *tally) gap(at journal.Position) {
	if items, _ := t.lost.grow(t.cur); !t.fresh {
		t.Admitted += items
	}
	t.Marks = append(t.Marks, mark{at, t.Admitted})
}

// at gives the count before a position where there is a mark.
func (t *tally) at(position journal.Position) (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, found := slices.BinarySearchFunc(t.Marks, position, func(m mark, p journal.Position) int {
		return int(min(max(int64(m.Position)-int64(p), -1), 1))
	})
	if !found {
		return 0, false
	}
	return t.Marks[i].Admitted, true
}

// reach counts at least up to position, which must be durable, and gives a copy
// of the state without the marks that lie before it.
func (t *tally) reach(position journal.Position) (tallyState, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.Position < position {
		if atTail, err := t.advance(1 << 10); err != nil {
			return tallyState{}, err
		} else if atTail {
			break
		}
	}
	passed := 0
	for passed < len(t.Marks) && t.Marks[passed].Position < position {
		passed++
	}
	t.Marks = slices.Delete(t.Marks, 0, passed)
	copied := t.tallyState
	copied.Marks = append([]mark{}, t.Marks...)
	return copied, nil
}

// count gives what was counted, after counting a bounded part of the rest.
func (t *tally) count() (admitted int64, position journal.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = t.advance(1 << 12)
	return t.Admitted, t.Position
}

// run counts until stop is closed.
func (t *tally) run(stop <-chan struct{}) {
	for {
		t.mu.Lock()
		wake := t.cur.Wake()
		atTail, _ := t.advance(1 << 10)
		t.mu.Unlock()
		if !atTail {
			select {
			case <-stop:
				return
			default:
				continue
			}
		}
		select {
		case <-stop:
			return
		case <-wake:
		}
	}
}

func (t *tally) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cur.Close()
}
