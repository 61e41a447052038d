package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// Options configures a View. Query is required.
type Options struct {
	// Query evaluates PromQL at one time, over the samples of all replicas.
	Query func(ctx context.Context, expr string, at time.Time) (promql.Vector, error)
	// Job is the label "job" that tells the replicas' samples from others; "" is all.
	Job string
	// Keep is how far back a replica that is gone is still counted with the last that
	// it told; 0 is 15 days. What is asked for over a window lies within it too.
	Keep time.Duration
	// Fresh is how long an answer serves who asks for the present; 0 is a second.
	Fresh time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// View reads the sums over all replicas. Make it with New; it is safe for
// concurrent use.
type View struct {
	o       Options
	exposed *snapshot.Exposed
	names   string // of the metrics, as a regular expression
	by      string // what series are summed by

	mu     sync.Mutex // held while the present is asked for: many askers share one answer
	newest *Sum
	gone   rest
}

// rest is what replicas that are gone told last.
type rest struct {
	present string // the replicas that were there
	at      time.Time
	samples promql.Vector
	lost    []Replica
}

// Sum is what the fleet counted until a time. It never changes.
type Sum struct {
	// Totals are the sums over all replicas.
	Totals *snapshot.Snapshot
	// At is the time that they are of. Each replica's part is that of its last
	// sampling before.
	At time.Time
	// Replicas are those that are counted, sorted by instance.
	Replicas []Replica
	// System is what the processes that are there take together.
	System System
}

// Replica is one process's data directory.
type Replica struct {
	// Instance is its label "instance".
	Instance string `json:"instance"`
	// Present tells whether it was sampled of late; one that is gone counts with the
	// last that it told.
	Present bool `json:"present"`
}

// System is about the processes of the fleet together.
type System struct {
	// CPUPercent is over two minutes; 100 is one core. Memory is in MiB.
	CPUPercent, MemoryUsageMiB, MemoryAvailableMiB float64
	Threads                                        int64
}

// Present is how many replicas are there.
func (s *Sum) Present() (n int) {
	for _, r := range s.Replicas {
		if r.Present {
			n++
		}
	}
	return n
}

// presence is a metric that every replica exposes with one series.
const presence = "treq_history_samplings_total"

// staleGone is how long what gone replicas told last is taken for what they told
// last, while the same others are there: it changes only as it falls out of Keep.
const staleGone = time.Minute

// New makes a view.
func New(o Options) (*View, error) {
	if o.Keep == 0 {
		o.Keep = 15 * 24 * time.Hour
	}
	if o.Fresh == 0 {
		o.Fresh = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	exposed, err := snapshot.NewExposed()
	if err != nil {
		return nil, err
	}
	return &View{
		o: o, exposed: exposed, names: strings.Join(exposed.Names(), "|"),
		by: strings.Join(append([]string{model.MetricNameLabel}, exposed.Labels()...), ","),
	}, nil
}

// Latest gives the present, at most Fresh old. An error is of kind Unavailable where
// nobody told anything yet.
func (v *View) Latest(ctx context.Context) (*Sum, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.o.Now()
	if v.newest != nil {
		if age := now.Sub(v.newest.At); age >= 0 && age < v.o.Fresh {
			return v.newest, nil
		}
	}
	sum, err := v.at(ctx, now, now.Add(-v.o.Keep), true)
	if err != nil {
		return nil, err
	}
	if len(sum.Replicas) == 0 {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "no replica has told the fleet's history anything yet", RetryAfter: time.Second}
	}
	v.newest = sum
	return sum, nil
}

// Since gives what the fleet counted after a time, until now.
func (v *View) Since(ctx context.Context, from time.Time) (*Sum, error) {
	now, err := v.Latest(ctx)
	if err != nil {
		return nil, err
	}
	// Both look back to the same time: a replica that is forgotten in one is not
	// taken off in the other.
	then, err := v.at(ctx, from, now.At.Add(-v.o.Keep), false)
	if err != nil {
		return nil, err
	}
	within := *now
	within.Totals = now.Totals.Since(then.Totals)
	return &within, nil
}

// From gives the time that a trailing window begins with.
func (v *View) From(_ context.Context, window time.Duration) (time.Time, error) {
	if window >= v.o.Keep {
		return time.Time{}, telemetry.Errorf(telemetry.Unprocessable, "Input should be less than %s, which is how long the fleet's history is looked back on", v.o.Keep)
	}
	return v.o.Now().Add(-window).Truncate(time.Millisecond), nil
}

// at adds up what was told until a time and after another. Replicas are counted
// with what stands at that time where they are there, else with what they told last:
// each is in exactly one of the two, whatever arrives between the questions.
func (v *View) at(ctx context.Context, at, after time.Time, now bool) (*Sum, error) {
	present, err := v.present(ctx, at)
	if err != nil {
		return nil, err
	}
	var samples promql.Vector
	sum := &Sum{At: at}
	if len(present) > 0 {
		if samples, err = v.ask(ctx, at, fmt.Sprintf("sum by(%s)(%s)", v.by, v.series(labels.MatchRegexp, present, v.names))); err != nil {
			return nil, err
		}
		if now {
			if sum.System, err = v.system(ctx, at, present); err != nil {
				return nil, err
			}
		}
	}
	gone, err := v.rest(ctx, at, after, present, now)
	if err != nil {
		return nil, err
	}
	sum.Totals = v.totals(samples, gone.samples)
	for _, instance := range present {
		sum.Replicas = append(sum.Replicas, Replica{instance, true})
	}
	sum.Replicas = append(sum.Replicas, gone.lost...)
	slices.SortFunc(sum.Replicas, func(a, b Replica) int { return strings.Compare(a.Instance, b.Instance) })
	return sum, nil
}

// present lists the replicas that were sampled of late.
func (v *View) present(ctx context.Context, at time.Time) ([]string, error) {
	found, err := v.ask(ctx, at, "count by(instance)("+v.series(labels.MatchRegexp, nil, presence)+")")
	return instances(found), err
}

func instances(of promql.Vector) []string {
	seen := map[string]bool{}
	for _, s := range of {
		seen[s.Metric.Get("instance")] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// rest gives what replicas told last that are not present.
func (v *View) rest(ctx context.Context, at, after time.Time, present []string, now bool) (rest, error) {
	key := strings.Join(present, "\xff")
	if now && v.gone.present == key && !v.gone.at.IsZero() && at.Sub(v.gone.at) < staleGone {
		return v.gone, nil
	}
	back := at.Sub(after).Milliseconds()
	if back <= 0 {
		return rest{}, nil
	}
	last := func(names string) string {
		return fmt.Sprintf("last_over_time(%s[%dms])", v.series(labels.MatchNotRegexp, present, names), back)
	}
	found := rest{present: key, at: at}
	lost, err := v.ask(ctx, at, "count by(instance)("+last(presence)+")")
	if err != nil {
		return rest{}, err
	}
	for _, instance := range instances(lost) {
		found.lost = append(found.lost, Replica{Instance: instance})
	}
	if len(found.lost) > 0 {
		if found.samples, err = v.ask(ctx, at, fmt.Sprintf("sum by(%s)(%s)", v.by, last(v.names))); err != nil {
			return rest{}, err
		}
	}
	if now {
		v.gone = found
	}
	return found, nil
}

// series selects the metrics of names, of those instances or of all others.
func (v *View) series(match labels.MatchType, of []string, names string) string {
	matchers := []string{labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, names).String()}
	if v.o.Job != "" {
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, "job", v.o.Job).String())
	}
	if len(of) > 0 {
		quoted := make([]string, len(of))
		for i, instance := range of {
			quoted[i] = regexp.QuoteMeta(instance)
		}
		matchers = append(matchers, labels.MustNewMatcher(match, "instance", strings.Join(quoted, "|")).String())
	}
	return "{" + strings.Join(matchers, ",") + "}"
}

func (v *View) ask(ctx context.Context, at time.Time, expr string) (promql.Vector, error) {
	found, err := v.o.Query(ctx, expr, at)
	if err == nil {
		return found, nil
	}
	if _, ok := errors.AsType[*telemetry.Error](err); ok {
		return nil, err
	}
	return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "the fleet's history cannot be read", Err: err}
}

// totals adds up what is there and what is gone, series by series.
func (v *View) totals(parts ...promql.Vector) *snapshot.Snapshot {
	at := map[uint64][]int{}
	var all promql.Vector
	for _, part := range parts {
		for _, s := range part {
			hash := s.Metric.Hash()
			i := slices.IndexFunc(at[hash], func(i int) bool { return labels.Equal(all[i].Metric, s.Metric) })
			if i >= 0 {
				all[at[hash][i]].F += s.F
				continue
			}
			at[hash] = append(at[hash], len(all))
			all = append(all, s)
		}
	}
	return v.exposed.Totals(func(yield func(snapshot.ExposedSample) bool) {
		for _, s := range all {
			if !yield(snapshot.ExposedSample{Name: s.Metric.Get(model.MetricNameLabel), Label: s.Metric.Get, Value: s.F}) {
				return
			}
		}
	})
}
