package alerting

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"treq/telemetry/objective"
)

// Rehearsal asks what objectives would have said of the past.
type Rehearsal struct {
	Objectives *objective.Document
	// Stored holds the series of the past. What rules recorded there is not looked at.
	Stored storage.Queryable
	// From and To bound what is evaluated; rules look further back than From.
	From, To time.Time
	// Interval is how often rules are evaluated; 0 is 15 s.
	Interval time.Duration
}

// Episode is one time that an alert would have fired.
type Episode struct {
	Rule     string
	Severity Severity
	Labels   map[string]string
	Summary  Text // in English
	From     time.Time
	// Until is zero for what would fire still.
	Until time.Time
	Value float64
}

// Rehearsed is what a rehearsal finds.
type Rehearsed struct {
	// Episodes are in the order of their beginnings.
	Episodes []Episode
	// Crossings count by rule how often the bare condition began to hold: what
	// would have been told without for, recovery, keep_firing_for and no_data.
	Crossings map[string]int
	// Failing are rules that could not be evaluated, with the reason.
	Failing map[string]error
}

// bare marks the rules that count crossings.
const bare = "_bare"

// Rehearse evaluates objectives over the past. What rules record goes to a database
// in a temporary directory.
func Rehearse(ctx context.Context, r Rehearsal) (report Rehearsed, err error) {
	if r.Interval <= 0 {
		r.Interval = objective.DefaultInterval
	}
	doc := *r.Objectives
	doc.Targets = nil
	doc.Alerts = slices.Clone(doc.Alerts)
	for _, a := range r.Objectives.Alerts {
		a.Name += bare
		a.For, a.KeepFiringFor, a.Recovery, a.NoData = 0, 0, nil, objective.NoDataOK
		doc.Alerts = append(doc.Alerts, a)
	}
	set, err := doc.Compile(objective.Options{Interval: r.Interval})
	if err != nil {
		return report, err
	}
	dir, err := os.MkdirTemp("", "treq-rehearsal-")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newStage(dir, r.Stored)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return rehearse(ctx, r, set, s)
}

func rehearse(ctx context.Context, r Rehearsal, set *objective.Rules, s *stage) (Rehearsed, error) {
	report := Rehearsed{Crossings: map[string]int{}, Failing: map[string]error{}}
	e, err := newEngine(set, s, nil, &url.URL{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return report, err
	}
	e.follow(&engine{}) // nothing to restore
	register := newRegister()
	var ended []*held
	for at := r.From.Truncate(r.Interval); !at.After(r.To); at = at.Add(r.Interval) {
		e.evaluate(ctx, at)
		if err := ctx.Err(); err != nil {
			return report, err
		}
		for name, err := range e.failing() {
			report.Failing[name] = err
		}
		register.compare(e, at, noAddress)
		ended = append(ended, register.ended...)
		register.ended = nil
	}
	for _, h := range register.firing {
		ended = append(ended, h)
	}
	for _, h := range ended {
		if rule, ok := strings.CutSuffix(h.Alert.Rule, bare); ok {
			report.Crossings[rule]++
			continue
		}
		report.Episodes = append(report.Episodes, Episode{
			Rule: h.Alert.Rule, Severity: h.Alert.Severity, Labels: h.Alert.Labels, Summary: h.Alert.Text(English),
			From: h.Alert.StartsAt, Until: h.Alert.EndsAt, Value: h.Alert.Value,
		})
	}
	slices.SortStableFunc(report.Episodes, func(a, b Episode) int { return a.From.Compare(b.From) })
	return report, nil
}

// stage is the past with what the rules of a rehearsal record beside it.
type stage struct {
	engine *promql.Engine
	db     *tsdb.DB
	stored storage.Queryable
}

func newStage(dir string, stored storage.Queryable) (*stage, error) {
	o := tsdb.DefaultOptions()
	o.StripeSize, o.WALSegmentSize = 512, 4<<20
	db, err := tsdb.Open(dir, slog.New(slog.DiscardHandler), nil, o, nil)
	if err != nil {
		return nil, err
	}
	return &stage{db: db, stored: stored, engine: promql.NewEngine(promql.EngineOpts{
		Logger: slog.New(slog.DiscardHandler), MaxSamples: 50_000_000, Timeout: 5 * time.Minute, Parser: parser.NewParser(parser.Options{}),
	})}, nil
}

func (s *stage) close() error { return errors.Join(s.engine.Close(), s.db.Close()) }

// Engine implements Storage.
func (s *stage) Engine() *promql.Engine { return s.engine }

// Appendable implements Storage.
func (s *stage) Appendable() storage.Appendable { return s.db }

// Queryable implements Storage.
func (s *stage) Queryable() storage.Queryable {
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) {
		recorded, err := s.db.Querier(from, to)
		if err != nil {
			return nil, err
		}
		stored, err := s.stored.Querier(from, to)
		if err != nil {
			return nil, errors.Join(err, recorded.Close())
		}
		return &staged{recorded, stored}, nil
	})
}

// staged reads what rules recorded from one place and all else from another. Labels
// are those of the former: rules ask for none.
type staged struct {
	storage.Querier
	stored storage.Querier
}

func (s *staged) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && isRecorded(m.Value) {
			return s.Querier.Select(ctx, sorted, hints, matchers...)
		}
	}
	return s.stored.Select(ctx, sorted, hints, matchers...)
}

func (s *staged) Close() error { return errors.Join(s.Querier.Close(), s.stored.Close()) }

func isRecorded(metric string) bool {
	return strings.Contains(metric, ":") || metric == "ALERTS" || metric == "ALERTS_FOR_STATE"
}
