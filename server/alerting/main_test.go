package alerting

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"go.uber.org/goleak"

	"treq/telemetry/objective"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is a Storage of its own.
type database struct {
	db     *tsdb.DB
	engine *promql.Engine
}

func (d *database) Engine() *promql.Engine         { return d.engine }
func (d *database) Queryable() storage.Queryable   { return d.db }
func (d *database) Appendable() storage.Appendable { return d.db }

func openDatabase(t testing.TB, dir string) *database {
	t.Helper()
	o := tsdb.DefaultOptions()
	o.StripeSize, o.WALSegmentSize = 64, 1<<20
	o.RetentionDuration = (40 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(dir, slog.New(slog.DiscardHandler), nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: slog.New(slog.DiscardHandler), MaxSamples: 50_000_000, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{}),
	})
	t.Cleanup(func() {
		if err := errors.Join(engine.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &database{db, engine}
}

// put stores one value of each series, which are written as PromQL writes them.
func (d *database) put(t testing.TB, at time.Time, series map[string]float64) {
	t.Helper()
	app := d.db.Appender(t.Context())
	for text, v := range series {
		l, err := parser.NewParser(parser.Options{}).ParseMetric(text)
		if err == nil {
			_, err = app.Append(0, l, at.UnixMilli(), v)
		}
		if err != nil {
			t.Fatal(text, err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// recorder is a Notifier that remembers.
type recorder struct {
	told []Alert
	err  error
}

func (r *recorder) Notify(_ context.Context, alerts []Alert) error {
	if r.err == nil {
		r.told = append(r.told, alerts...)
	}
	return r.err
}

// states gives what was told of a rule.
func (r *recorder) states(rule string) (out []State) {
	for _, a := range r.told {
		if a.Rule == rule {
			out = append(out, a.State)
		}
	}
	return out
}

// begin is when all tests begin: on the grid of every interval.
var begin = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// world is an evaluator on a clock that the test moves.
type world struct {
	*Evaluator
	t     testing.TB
	dir   string
	doc   *objective.Document
	store *database
	told  *recorder
	now   time.Time
	step  time.Duration
}

func newWorld(t testing.TB, file string) *world {
	t.Helper()
	doc, err := objective.Load("test.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := &world{t: t, dir: dir, doc: doc, store: openDatabase(t, filepath.Join(dir, "history")), told: &recorder{}, now: begin, step: 15 * time.Second}
	w.restart()
	return w
}

// restart makes a new evaluator, as a new process would.
func (w *world) restart() {
	w.t.Helper()
	var err error
	if w.Evaluator, err = New(Options{
		Storage: w.store, Objectives: w.doc, Interval: w.step, State: filepath.Join(w.dir, "alerts"), Notifier: w.told,
		Logger: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Now: func() time.Time { return w.now },
	}); err != nil {
		w.t.Fatal(err)
	}
}

// run moves the clock, and stores and evaluates at every step.
func (w *world) run(d time.Duration, series func(at time.Time) map[string]float64) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(w.step)
		w.store.put(w.t, w.now, series(w.now))
		w.Evaluate(w.t.Context(), w.now)
	}
}

// always stores the same values.
func always(series map[string]float64) func(time.Time) map[string]float64 {
	return func(time.Time) map[string]float64 { return series }
}

// alertsAt asks the history for an ALERTS series.
func (w *world) firingSeries(rule string) int {
	w.t.Helper()
	q, err := w.store.engine.NewInstantQuery(w.t.Context(), w.store.db, nil, `ALERTS{alertstate="firing",alertname="`+rule+`"}`, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	defer q.Close()
	v, err := q.Exec(w.t.Context()).Vector()
	if err != nil {
		w.t.Fatal(err)
	}
	return len(v)
}
