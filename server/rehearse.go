package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"treq/server/alerting"
	"treq/server/config"
	"treq/server/history"
	"treq/telemetry"
	"treq/telemetry/objective"
)

// RehearseObjectives says which alerts would have fired on stored history: that of
// the data directory, which a running process may hold meanwhile, or, with a URL in
// the settings of the history, that of a server which speaks Prometheus's query API.
func RehearseObjectives(ctx context.Context, c config.Config, doc *objective.Document, since time.Duration) (report alerting.Rehearsed, err error) {
	r := alerting.Rehearsal{Objectives: doc, Interval: time.Duration(c.Objectives.Interval), To: time.Now()}
	r.From = r.To.Add(-since)
	temporary, err := os.MkdirTemp("", "treq-history-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	from := r.From.Add(-longest(doc))
	var stored storage.Querier
	if c.History.URL != "" {
		db, err := fetched(ctx, c, doc, temporary, from, r.To)
		if err != nil {
			return report, err
		}
		defer func() { _ = db.Close() }() // of a directory that goes now
		if stored, err = db.Querier(from.UnixMilli(), r.To.UnixMilli()); err != nil {
			return report, err
		}
	} else {
		dir := filepath.Join(c.DataDir, "history")
		if _, err := os.Stat(dir); err != nil {
			return report, telemetry.Errorf(telemetry.NotFound, "there is no history in %s: name the data directory of the service with --data-dir, or its address with --url", c.DataDir)
		}
		db, err := tsdb.OpenDBReadOnly(dir, temporary, slog.New(slog.DiscardHandler))
		if err != nil {
			return report, fmt.Errorf("history: %w", err)
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		if stored, err = db.Querier(from.UnixMilli(), r.To.UnixMilli()); err != nil {
			return report, fmt.Errorf("history: %w", err)
		}
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	first, err := beginning(ctx, stored, doc)
	if err != nil {
		return report, fmt.Errorf("history: %w", err)
	}
	// Nothing is told of the time before there was anything.
	if first.IsZero() {
		r.From = r.To
	} else if first.After(r.From) {
		r.From = first
	}
	// One for all times: each costs a reading of the newest hours.
	r.Stored = storage.QueryableFunc(func(int64, int64) (storage.Querier, error) { return kept{stored}, nil })
	return alerting.Rehearse(ctx, r)
}

// beginning is the time of the first sample that the rules of a document look at,
// zero if there is none.
func beginning(ctx context.Context, stored storage.Querier, doc *objective.Document) (first time.Time, err error) {
	names, err := metricsOf(doc)
	if err != nil {
		return first, err
	}
	for _, name := range names {
		set := stored.Select(ctx, false, nil, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, name))
		for set.Next() {
			samples := set.At().Iterator(nil)
			if samples.Next() == chunkenc.ValNone {
				continue
			}
			if at := time.UnixMilli(samples.AtT()); first.IsZero() || at.Before(first) {
				first = at
			}
		}
		if err := set.Err(); err != nil {
			return first, err
		}
	}
	return first, nil
}

// kept is a querier that others close.
type kept struct{ storage.Querier }

// Close does nothing.
func (kept) Close() error { return nil }

// longest is how far back the rules of a document look.
func longest(doc *objective.Document) time.Duration {
	back := time.Hour
	for _, a := range doc.Alerts {
		if a.Enabled {
			back = max(back, a.Window)
		}
	}
	return back
}

// How much of the past is asked for at once, and what is little enough that a
// refusal has another reason than its size.
const (
	fetchMost  = 4 * time.Hour
	fetchLeast = 5 * time.Minute
)

// fetched copies the series that the rules look at from a server into a database.
func fetched(ctx context.Context, c config.Config, doc *objective.Document, dir string, from, to time.Time) (*tsdb.DB, error) {
	names, err := metricsOf(doc)
	if err != nil {
		return nil, err
	}
	remote, err := history.Open(history.Options{
		Dir: filepath.Join(dir, "unused"), Timeout: time.Duration(c.History.QueryTimeout),
		Remote: history.RemoteOptions{
			URL: c.History.URL, Token: c.History.Token, Headers: c.History.Headers, TLS: history.TLSFiles(c.History.TLS),
		},
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = remote.Close() }() // nothing was written
	o := tsdb.DefaultOptions()
	o.StripeSize = 512
	db, err := tsdb.Open(filepath.Join(dir, "fetched"), slog.New(slog.DiscardHandler), nil, o, nil)
	if err != nil {
		return nil, err
	}
	// In the order of time, as a database takes it.
	for begin := from; begin.Before(to); begin = begin.Add(fetchMost) {
		end := begin.Add(fetchMost)
		if end.After(to) {
			end = to
		}
		app := db.Appender(ctx)
		for _, name := range names {
			if err := fetch(ctx, remote, app, name, begin, end); err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", name, err), app.Rollback(), db.Close())
			}
		}
		if err := app.Commit(); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// fetch copies the samples after begin up to end as they were stored: values at
// steps of ours would miss the zero from which a new series begins to grow. Of what
// is too much for one answer it asks for the halves.
func fetch(ctx context.Context, from *history.Store, to storage.Appender, name string, begin, end time.Time) error {
	span := end.Sub(begin)
	answer, err := from.Query(ctx, fmt.Sprintf("%s[%dms]", name, span.Milliseconds()), end)
	if err != nil {
		if span <= fetchLeast || ctx.Err() != nil {
			return err
		}
		middle := begin.Add(span / 2)
		if err := fetch(ctx, from, to, name, begin, middle); err != nil {
			return err
		}
		return fetch(ctx, from, to, name, middle, end)
	}
	matrix, ok := answer.(promql.Matrix)
	if !ok {
		return telemetry.Errorf(telemetry.Unavailable, "the remote history gave no samples")
	}
	for _, series := range matrix {
		var ref storage.SeriesRef
		for _, p := range series.Floats {
			if p.T <= begin.UnixMilli() {
				continue // Prometheus before 3.0 counts both ends in
			}
			if ref, err = to.Append(ref, series.Metric, p.T, p.F); err != nil {
				return err
			}
		}
	}
	return nil
}

// metricsOf gives the metrics that the rules read and do not record.
func metricsOf(doc *objective.Document) ([]string, error) {
	set, err := doc.Compile(objective.Options{})
	if err != nil {
		return nil, err
	}
	recorded := map[string]bool{"ALERTS": true}
	for _, g := range set.Groups {
		for _, r := range g.Rules {
			recorded[r.Record] = true
		}
	}
	var names []string
	for _, g := range set.Groups {
		for _, r := range g.Rules {
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
			if err != nil {
				return nil, err
			}
			for _, selectors := range parser.ExtractSelectors(expr) {
				for _, m := range selectors {
					if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && !recorded[m.Value] {
						names = append(names, m.Value)
					}
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
