package runs

import (
	"context"
	"encoding/hex"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

const (
	// DefaultList and MostListed are how many runs a page has if nobody says, and at most.
	DefaultList = 50
	MostListed  = 200
	// going is the position from which runs that go on are said to be heard of, above
	// all of the journal.
	going journal.Position = 1 << 61
)

// List gives the runs of GenAI activity that a query asks for, as far as they are in
// the journal and were read for it (docs/api.md, section 2). An error is of kind
// Unprocessable and says what is wrong with the query.
func (v *Viewer) List(ctx context.Context, q Query) (*List, error) {
	if q.Limit <= 0 || q.Limit > MostListed {
		q.Limit = DefaultList
	}
	f, err := v.rows.compile(q)
	if err != nil {
		return nil, err
	}
	v.follows(ctx)
	running, err := v.goingRows()
	if err != nil {
		return nil, err
	}
	_, indexed := v.index.reach()
	f.floor = oldest(v.o.Journal)
	f.score = v.scoreOf
	list := &List{Runs: []Summary{}, IndexedFrom: Time(indexed)}

	v.rows.mu.RLock()
	defer v.rows.mu.RUnlock()
	list.From, list.NotIndexed = Time(v.rows.from), v.rows.left
	b := best{most: q.Limit + 1}
	without := v.rows.lend(running)
	b.scan(running, f, nil)
	b.scan(v.rows, f, without)
	list.Total = b.total
	for i, h := range b.hits {
		if i == q.Limit {
			list.Next = b.hits[i-1].cursor()
			break
		}
		list.Runs = append(list.Runs, v.summary(h.r, h.c))
	}
	return list, nil
}

// Recent is List without a question.
func (v *Viewer) Recent(ctx context.Context, limit int) (*List, error) {
	return v.List(ctx, Query{Limit: limit})
}

// goingRows makes rows of the runs that go on.
func (v *Viewer) goingRows() (*rows, error) {
	t := newRows(v.rows.seed, 1<<30)
	body := v.o.Going([16]byte{})
	if len(body) == 0 {
		return t, nil
	}
	reader, err := understand.NewReader(v.o.Rules)
	if err != nil {
		return nil, err
	}
	x := rowReader{rows: t, reader: reader, at: going}
	_ = new(otlp.Scanner).Traces(body, &x)
	return t, nil
}

// lend gives what is known of the ended parts of runs that go on to those, and says
// which these are. mu is held.
func (t *rows) lend(running *rows) map[[16]byte]bool {
	without := map[[16]byte]bool{}
	for _, c := range running.chunks {
		for i := range c.rows {
			r := &c.rows[i]
			if ended, of := t.find(&r.trace); ended != nil {
				without[r.trace] = true
				r.join(of.move(*ended, c))
			}
		}
	}
	return without
}

// summary gives what a list shows of a row. rows.mu is held.
func (v *Viewer) summary(r *row, c *chunk) Summary {
	s := Summary{
		RunID: c.runID(r), TraceID: hex.EncodeToString(r.trace[:]), Name: c.text(r.name),
		Kind: semconv.Kind(r.kind).String(), Service: c.text(r.service), Start: nanoseconds(r.start),
		State: r.state(), Outcome: r.outcome(), ErrorType: c.text(r.err), Model: c.text(r.model), Spans: int(r.spans),
	}
	if r.duration >= 0 && s.State == "" {
		ms := float64(r.duration) / 1e6
		s.DurationMS = &ms
	}
	if r.flags.has(hasTokens) {
		s.Tokens = new(r.tokens)
	}
	if r.flags.has(hasCost) {
		s.CostUSD = new(dollars(r.cost))
	}
	if r.flags.has(hasSimilarity) {
		s.Similarity = new(short(r.similarity))
	}
	if score, ok := v.scoreOf(r, c); ok {
		s.Feedback = &score
	}
	return s
}

// judgedBadly tells whether the run of a row was given less than half the scale last.
// rows.mu is held.
func (v *Viewer) judgedBadly(r *row, c *chunk) bool {
	score, ok := v.scoreOf(r, c)
	return ok && negative(score)
}

// scoreOf gives the score that the run of a row was given last. rows.mu is held.
func (v *Viewer) scoreOf(r *row, c *chunk) (float64, bool) {
	ids := []understand.RunID{r.run, r.trace, spanRun(r.head)}
	if r.named != 0 {
		ids = append(ids, understand.ParseRunID(c.bytesOf(r.named)))
	}
	return v.judged.score(ids...)
}
