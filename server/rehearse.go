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
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

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
	if c.History.URL != "" {
		db, err := fetched(ctx, c, doc, temporary, from, r.To, r.Interval)
		if err != nil {
			return report, err
		}
		defer func() { _ = db.Close() }() // of a directory that goes now
		r.Stored = db
		return alerting.Rehearse(ctx, r)
	}
	dir := filepath.Join(c.DataDir, "history")
	if _, err := os.Stat(dir); err != nil {
		return report, telemetry.Errorf(telemetry.NotFound, "there is no history in %s: name the data directory of the service with --data-dir, or its address with --url", c.DataDir)
	}
	db, err := tsdb.OpenDBReadOnly(dir, temporary, slog.New(slog.DiscardHandler))
	if err != nil {
		return report, fmt.Errorf("history: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	q, err := db.Querier(from.UnixMilli(), r.To.UnixMilli())
	if err != nil {
		return report, fmt.Errorf("history: %w", err)
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	// One for all times: each costs a reading of the newest hours.
	r.Stored = storage.QueryableFunc(func(int64, int64) (storage.Querier, error) { return kept{q}, nil })
	return alerting.Rehearse(ctx, r)
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

// fetchSteps is how many values of a series are asked for at once.
const fetchSteps = 1000

// fetched copies the series that the rules look at from a server into a database.
func fetched(ctx context.Context, c config.Config, doc *objective.Document, dir string, from, to time.Time, step time.Duration) (*tsdb.DB, error) {
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
	for begin := from.Truncate(step); !begin.After(to); begin = begin.Add(fetchSteps * step) {
		end := begin.Add((fetchSteps - 1) * step)
		if end.After(to) {
			end = to
		}
		if err := fetch(ctx, remote, db, names, begin, end, step); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

func fetch(ctx context.Context, from *history.Store, to *tsdb.DB, names []string, begin, end time.Time, step time.Duration) error {
	app := to.Appender(ctx)
	for _, name := range names {
		matrix, err := from.QueryRange(ctx, name, begin, end, step)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, err), app.Rollback())
		}
		for _, series := range matrix {
			var ref storage.SeriesRef
			for _, p := range series.Floats {
				if ref, err = app.Append(ref, series.Metric, p.T, p.F); err != nil {
					return errors.Join(err, app.Rollback())
				}
			}
		}
	}
	return app.Commit()
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
