package fleet

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"go.uber.org/goleak"

	"treq/server/history"
	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// step is how often replicas are sampled.
const step = 15 * time.Second

// shared is a Prometheus that replicas tell their numbers, on a clock of its own.
type shared struct {
	t     *testing.T
	store *history.Store
	clock time.Time
	view  *View
}

func share(t *testing.T) *shared {
	t.Helper()
	store, err := history.Open(history.Options{Dir: t.TempDir() + "/history", Instance: "prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := &shared{t: t, store: store, clock: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	s.view, err = New(Options{Query: store.QueryVector, Job: history.Job, Keep: 24 * time.Hour, Now: func() time.Time { return s.clock }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// replica counts, and is sampled under its name.
type replica struct {
	s          *shared
	instance   string
	meter      *instrument.Instruments
	reader     *snapshot.Reader
	exposition *snapshot.Exposition
}

// replica starts one, with the totals that an earlier process of it left.
func (s *shared) replica(instance string, totals []byte) *replica {
	s.t.Helper()
	r := &replica{s: s, instance: instance}
	var err error
	if r.meter, err = instrument.New(instrument.Options{}); err != nil {
		s.t.Fatal(err)
	}
	r.reader = snapshot.NewReader(snapshot.Options{Instruments: r.meter})
	snapshot.NewProvider(r.reader)
	if totals != nil {
		if err := r.reader.Restore(totals); err != nil {
			s.t.Fatal(err)
		}
	}
	if r.exposition, err = snapshot.NewExposition(r.reader, snapshot.ExpositionOptions{}); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// chat counts one.
func (r *replica) chat(c telemetry.Chat) {
	r.meter.Lock()
	r.meter.Chat(&c)
	r.meter.Unlock()
	r.reader.Invalidate()
}

// call counts one of a model that cost something.
func (r *replica) call(c telemetry.LLMCall) {
	r.meter.Lock()
	r.meter.LLMCall(&c)
	r.meter.Unlock()
	r.reader.Invalidate()
}

// sample tells the shared Prometheus what the replica exposes.
func (r *replica) sample() {
	r.s.t.Helper()
	families, err := r.exposition.Families(r.s.t.Context())
	if err != nil {
		r.s.t.Fatal(err)
	}
	app := r.s.store.Appendable().Appender(context.Background())
	tell := func(name string, v float64, pairs ...string) {
		l := labels.FromStrings(append(pairs, model.MetricNameLabel, name, "job", history.Job, "instance", r.instance)...)
		if _, err := app.Append(storage.SeriesRef(0), l, r.s.clock.UnixMilli(), v); err != nil {
			r.s.t.Fatal(err)
		}
	}
	tell(presence, 1)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var pairs []string
			for _, p := range m.GetLabel() {
				pairs = append(pairs, p.GetName(), p.GetValue())
			}
			switch {
			case m.Counter != nil:
				tell(f.GetName(), m.Counter.GetValue(), pairs...)
			case m.Histogram != nil:
				for _, b := range m.Histogram.GetBucket() {
					if !math.IsInf(b.GetUpperBound(), 1) {
						tell(f.GetName()+"_bucket", float64(b.GetCumulativeCount()), append(pairs, "le", strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64))...)
					}
				}
				tell(f.GetName()+"_sum", m.Histogram.GetSampleSum(), pairs...)
				tell(f.GetName()+"_count", float64(m.Histogram.GetSampleCount()), pairs...)
			}
		}
	}
	if err := app.Commit(); err != nil {
		r.s.t.Fatal(err)
	}
}

// wait lets time pass.
func (s *shared) wait(d time.Duration) { s.clock = s.clock.Add(d) }

func (s *shared) latest() *Sum {
	s.t.Helper()
	sum, err := s.view.Latest(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return sum
}
