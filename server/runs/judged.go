package runs

import (
	"context"
	"slices"
	"sync"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/understand"
)

// mostJudged bounds the judgements that are found at once: some ten megabytes.
const mostJudged = 100_000

// mostShown bounds the judgements of one document.
const mostShown = 500

// judged finds the records in which a run was judged. It is an index of its own, so
// that judgements take no room from spans. Safe for concurrent use.
type judged struct {
	mu    sync.Mutex
	at    map[understand.RunID][]journal.Position
	queue []judgedAt // oldest first
	// latest is where what holds of a judgement was said, by its id.
	latest map[understand.RunID]journal.Position
	// last is the score that a run was given last.
	last map[understand.RunID]scoredAt
}

type judgedAt struct {
	run     understand.RunID
	pos     journal.Position
	scored  bool
	score   float64
	id      understand.RunID // zero for none
	deleted bool
}

type scoredAt struct {
	pos     journal.Position
	score   float64
	deleted bool
}

// negative tells whether a score is below half the scale.
func negative(score float64) bool { return score < 0.5 }

// score gives the last score of those that any of the ids has, all of one run.
func (x *judged) score(ids ...understand.RunID) (score float64, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.last) == 0 {
		return 0, false
	}
	var at journal.Position
	for _, id := range ids {
		if s, known := x.last[id]; known && !s.deleted && (!ok || s.pos > at) {
			score, at, ok = s.score, s.pos, true
		}
	}
	return score, ok
}

// hear notes where a judgement was said, and its score, unless later ones are known.
// mu is held.
func (x *judged) hear(j judgedAt) {
	if j.id != (understand.RunID{}) {
		if x.latest == nil {
			x.latest = make(map[understand.RunID]journal.Position)
		}
		x.latest[j.id] = max(x.latest[j.id], j.pos)
	}
	if !j.scored && !j.deleted || j.run == (understand.RunID{}) {
		return
	}
	if x.last == nil {
		x.last = make(map[understand.RunID]scoredAt)
	}
	if s, known := x.last[j.run]; !known || s.pos <= j.pos {
		x.last[j.run] = scoredAt{j.pos, j.score, j.deleted}
	}
}

// holds tells whether records of a kind may hold judgements.
func holds(k journal.Kind) bool { return k == journal.Posts || k == journal.Logs }

// in lists the judgements of a record, none for one of another kind.
func in(rec *journal.Record, body []byte) (list []judgedAt) {
	if !holds(rec.Kind) {
		return nil
	}
	// A record that does not scan was counted as damaged by whoever counts.
	_ = judgement.Each(body, func(j judgement.Judgement) {
		at := judgedAt{pos: rec.Position, scored: j.Scored, score: j.Score, id: understand.ParseRunID([]byte(j.ID)), deleted: j.Deleted}
		if j.RunID != "" {
			at.run = understand.ParseRunID([]byte(j.RunID))
		}
		list = append(list, at)
	})
	return list
}

// add takes those of the newest record.
func (x *judged) add(list []judgedAt) {
	if list == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at == nil {
		x.at = make(map[understand.RunID][]journal.Position)
	}
	for _, j := range list {
		x.at[j.run] = append(x.at[j.run], j.pos)
		x.hear(j)
	}
	x.queue = append(x.queue, list...)
	x.forget(len(x.queue) - mostJudged)
}

// forget lets the oldest go. mu is held.
func (x *judged) forget(over int) {
	for ; over > 0; over-- {
		oldest := x.queue[0]
		x.queue = x.queue[1:]
		if rest := x.at[oldest.run][1:]; len(rest) > 0 {
			x.at[oldest.run] = rest
		} else {
			delete(x.at, oldest.run)
			delete(x.last, oldest.run)
		}
		if x.latest[oldest.id] == oldest.pos {
			delete(x.latest, oldest.id)
		}
	}
}

// extend takes those of records before all that were added, as far as there is room.
func (x *judged) extend(older []judgedAt) {
	x.mu.Lock()
	defer x.mu.Unlock()
	older = older[max(0, len(older)-max(0, mostJudged-len(x.queue))):]
	if len(older) == 0 {
		return
	}
	if x.at == nil {
		x.at = make(map[understand.RunID][]journal.Position)
	}
	for i := len(older) - 1; i >= 0; i-- {
		j := older[i]
		x.at[j.run] = append([]journal.Position{j.pos}, x.at[j.run]...)
		x.hear(j)
	}
	x.queue = append(slices.Clone(older), x.queue...)
}

// find gives the records in which any of the runs was judged, the newest at last.
func (x *judged) find(runs map[understand.RunID]string) []journal.Position {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []journal.Position
	for run := range runs {
		found = append(found, x.at[run]...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	return found[max(0, len(found)-mostShown):]
}

// Judged is one judgement as a document shows it: the last of its run, key and source.
type Judged struct {
	ID string `json:"id"`
	// RunID is the run as it was named; SpanID the span that this is, "" where it
	// names the trace as a whole.
	RunID  string `json:"run_id"`
	SpanID string `json:"span_id,omitempty"`
	Key    string `json:"key"`
	Source string `json:"source"`
	// Score is null where none was given.
	Score   *float64 `json:"score"`
	Value   string   `json:"value,omitempty"`
	Comment string   `json:"comment,omitempty"`
	Time    Time     `json:"time"`
}

// judgements gives how the spans of a tree were judged, and the trace as a whole
// where the tree is all of it, in the order of the journal.
func (v *Viewer) judgements(ctx context.Context, trace [16]byte, roots []*Span, whole bool) ([]Judged, error) {
	list := []Judged{}
	spans := make(map[understand.RunID]string)
	var see func(list []*Span)
	see = func(list []*Span) {
		for _, s := range list {
			for _, id := range []string{s.SpanID, s.RunID, s.named} {
				if id != "" {
					spans[understand.ParseRunID([]byte(id))] = s.SpanID
				}
			}
			see(s.Children)
		}
	}
	see(roots)
	if whole {
		if _, also := spans[trace]; !also {
			spans[trace] = ""
		}
	}
	positions := v.judged.find(spans)
	if len(positions) == 0 {
		return list, nil
	}
	at, gone := map[string]int{}, map[string]bool{}
	err := v.visit(ctx, positions, holds, func(_ *journal.Record, body []byte) bool {
		_ = judgement.Each(body, func(j judgement.Judgement) {
			run := understand.ParseRunID([]byte(j.RunID))
			span, meant := spans[run]
			if !meant {
				return
			}
			shown := Judged{
				ID: j.ID, RunID: valid(j.RunID), SpanID: span, Key: valid(j.Key), Source: valid(j.Source),
				Value: valid(j.Value), Comment: valid(j.Comment), Time: Time(j.Time),
			}
			if j.Scored {
				shown.Score = &j.Score
			}
			if j.Deleted {
				gone[j.ID] = true
				return
			}
			delete(gone, j.ID)
			if i, again := at[j.ID]; again {
				list[i] = shown
				return
			}
			at[j.ID] = len(list)
			list = append(list, shown)
		})
		return len(list) < mostShown
	})
	return slices.DeleteFunc(list, func(j Judged) bool { return gone[j.ID] }), err
}
