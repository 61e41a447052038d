package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"treq/server/config"
	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/pricing"
	"treq/telemetry/understand"
)

// Recosted is what one model cost by one book, and what it would have by another.
type Recosted struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Calls    int64  `json:"calls"`
	Tokens   int64  `json:"tokens"`
	// Reported calls said themselves what they cost: no book changes that.
	Reported    int64 `json:"reported_calls"`
	OldNanoUSD  int64 `json:"old_cost_nano_usd"`
	NewNanoUSD  int64 `json:"new_cost_nano_usd"`
	OldUnpriced int64 `json:"old_unpriced_tokens"`
	NewUnpriced int64 `json:"new_unpriced_tokens"`
}

// Recost reads the journal of a process that does not run and prices every call
// that began since a time by two books, the dearest model by the new one first. It
// changes no total. The rules are those of the configuration. A data directory in
// use is an error that says so.
func Recost(ctx context.Context, c config.Config, before, after *pricing.Book, since time.Time) (_ []Recosted, err error) {
	dir := filepath.Join(c.DataDir, "journal")
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("there is no journal in %s: %w", c.DataDir, err)
	}
	// Nothing may expire because somebody looked.
	const century = 100 * 365 * 24 * time.Hour
	j, err := journal.Open(ctx, dir, journal.Options{
		Keep: century, MaxAge: century, MaxBytes: 1 << 60,
		SegmentBytes: int64(c.Journal.SegmentBytes), MaxDecoded: int64(c.Limits.MaxRequestBytes),
		RingBytes: -1, Reserve: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if held, ok := errors.AsType[*journal.LockedError](err); ok {
		return nil, fmt.Errorf("%s is in use (%w): stop the service first, or recost a copy of the directory", c.DataDir, held)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()

	rules, _ := c.Rules()
	rules.Pricer = pricing.NewFinder(before)
	r := &recost{Recorder: unheard{}, after: pricing.NewFinder(after), since: since.UnixNano(), rows: map[[2]string]*Recosted{}}
	engine, err := understand.New(rules, r)
	if err != nil {
		return nil, err
	}
	if err := replay(ctx, j, engine); err != nil {
		return nil, err
	}
	rows := make([]Recosted, 0, len(r.rows))
	for _, row := range r.rows {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b Recosted) int {
		return cmp.Or(cmp.Compare(b.NewNanoUSD, a.NewNanoUSD), cmp.Compare(b.OldNanoUSD, a.OldNanoUSD),
			cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model))
	})
	return rows, nil
}

// replay has an engine read a whole journal.
func replay(ctx context.Context, j *journal.Journal, engine *understand.Engine) error {
	cursor, err := j.NewCursor("recost", 0, false)
	if err != nil {
		return err
	}
	defer cursor.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := cursor.TryNext()
		if err != nil {
			return err
		}
		if rec == nil {
			engine.Flush()
			return nil
		}
		replayOne(engine, rec)
	}
}

// replayOne passes over what does not decode: the meter did, and logged it.
func replayOne(engine *understand.Engine, rec *journal.Record) {
	defer rec.Release()
	data, err := rec.Data()
	if err != nil {
		return
	}
	switch rec.Kind {
	case journal.Traces:
		_ = engine.Traces(rec.Admitted, 1, data)
	case journal.Derived:
		_ = engine.Traces(rec.Admitted, 2, data)
	case journal.Logs, journal.Posts:
		_ = engine.Logs(rec.Admitted, data)
	}
}

// recost adds up calls by model.
type recost struct {
	telemetry.Recorder

	after *pricing.Finder
	since int64
	rows  map[[2]string]*Recosted
}

// LLMCall implements telemetry.Recorder.
func (r *recost) LLMCall(c *telemetry.LLMCall) { r.add(&c.ModelCall) }

// Embedding implements telemetry.Recorder.
func (r *recost) Embedding(c *telemetry.Embedding) { r.add(&c.ModelCall) }

// Rerank implements telemetry.Recorder.
func (r *recost) Rerank(c *telemetry.Rerank) { r.add(&c.ModelCall) }

func (r *recost) add(c *telemetry.ModelCall) {
	if c.Start < r.since {
		return
	}
	key := [2]string{c.Provider, c.Model()}
	row := r.rows[key]
	if row == nil {
		row = &Recosted{Provider: c.Provider, Model: c.Model()}
		r.rows[key] = row
	}
	row.Calls++
	row.Tokens += c.Tokens.Total()
	row.OldNanoUSD += c.CostNanoUSD
	row.OldUnpriced += c.UnpricedTokens
	again := *c
	if c.CostSource == telemetry.ReportedCost {
		row.Reported++
	} else {
		r.after.Price(&again)
	}
	row.NewNanoUSD += again.CostNanoUSD
	row.NewUnpriced += again.UnpricedTokens
}

// unheard records nothing.
type unheard struct{}

func (unheard) Chat(*telemetry.Chat)                              {}
func (unheard) ChatAddition(*telemetry.ChatAddition)              {}
func (unheard) Retrieval(*telemetry.Retrieval)                    {}
func (unheard) LLMCall(*telemetry.LLMCall)                        {}
func (unheard) Embedding(*telemetry.Embedding)                    {}
func (unheard) Rerank(*telemetry.Rerank)                          {}
func (unheard) ToolCall(*telemetry.ToolCall)                      {}
func (unheard) Feedback(*telemetry.Feedback)                      {}
func (unheard) Span(telemetry.Disposition, string, string, int64) {}
func (unheard) Rejected(string, int64)                            {}
func (unheard) Unmapped(string, int64)                            {}
func (unheard) Late(int64)                                        {}
