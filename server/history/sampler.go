package history

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// Source is what is sampled. All fields are required.
type Source struct {
	// Ready is nil once the totals are those of now. Nothing is sampled before that:
	// a sample of the past would look like a reset.
	Ready func() error
	// Families gives what /metrics exposes now, from one collection.
	Families func(ctx context.Context) ([]*dto.MetricFamily, error)
	// Restored tells whether totals of an earlier process were taken over. In an empty
	// history they then have no beginning.
	Restored func() bool
}

// untilReady is how often an unready source is looked at.
const untilReady = 100 * time.Millisecond

// Run samples the source every step, first as soon as it is ready, until ctx ends,
// and then once more, so that what the last moments counted is not lost. What goes
// wrong is logged and counted; sampling goes on. One Run at a time.
func (s *Store) Run(ctx context.Context, from Source) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	ready := false
	for {
		select {
		case <-ctx.Done():
			if ready {
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				s.step(last, from)
				cancel()
			}
			return
		case <-timer.C:
		}
		if !ready && from.Ready() != nil {
			timer.Reset(untilReady)
			continue
		}
		ready = true
		begun := s.Now()
		s.step(ctx, from)
		timer.Reset(max(0, s.o.Step-s.Now().Sub(begun)))
	}
}

// Begin notes in an empty history that a step ago there was nothing, so that totals
// have a beginning also where a crash comes before the first sampling. It is called
// before anything is counted, unless totals of an earlier process were taken over; in a
// history that has samples it does nothing.
func (s *Store) Begin(ctx context.Context) error {
	if !s.sampler.lastTime().IsZero() {
		return nil
	}
	return s.Sample(ctx, s.Now().Add(-s.o.Step), nil, true)
}

// step samples once.
func (s *Store) step(ctx context.Context, from Source) {
	lead := s.clock.lead()
	if leading := lead > s.o.Step; leading != s.sampler.leading {
		s.sampler.leading = leading
		if leading {
			s.log.Warn("the clock was set back: the history goes on ahead of it until both agree", "ahead", lead.Round(time.Second))
		} else {
			s.log.Info("the history is at the time of the clock again")
		}
	}
	families, err := from.Families(ctx)
	if err == nil {
		s.goOn()
		err = s.Sample(ctx, s.Now(), families, from.Restored())
	}
	if err == nil {
		s.sampler.failing = false
		return
	}
	s.stats.skipped.Add(1)
	if !s.sampler.failing {
		s.log.Error("the history misses samples", "error", err)
	}
	s.sampler.failing = true
}

// goOn lets the time be after the newest sample.
func (s *Store) goOn() {
	if last := s.sampler.lastTime(); !last.IsZero() {
		s.clock.notBefore(last.Add(time.Millisecond))
	}
}

// sampler appends to the database what is sampled.
type sampler struct {
	failing, leading bool // of Run's goroutine

	mu      sync.Mutex
	scraper scraper
	last    int64 // of the newest stored sampling, in milliseconds; 0 without one
	round   uint64
	known   map[uint64][]*series // by the hash of the labels
	count   int
}

// series is one that the newest stored sampling had.
type series struct {
	labels labels.Labels
	ref    storage.SeriesRef
	value  float64
	round  uint64
}

func (s *sampler) find(l labels.Labels, hash uint64) *series {
	for _, one := range s.known[hash] {
		if labels.Equal(one.labels, l) {
			return one
		}
	}
	return nil
}

func (s *sampler) lastTime() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == 0 {
		return time.Time{}
	}
	return time.UnixMilli(s.last)
}

// errClock is a sampling that is not later than the one before.
var errClock = errors.New("the clock stands before the newest sample")

// Sample stores what families hold at a time. Restored as in Source. A time that is
// not after the newest one is an error, and stores nothing.
func (s *Store) Sample(ctx context.Context, at time.Time, families []*dto.MetricFamily, restored bool) error {
	t := at.UnixMilli()
	s.sampler.mu.Lock()
	defer s.sampler.mu.Unlock()
	if t <= s.sampler.last {
		return errClock
	}
	b := batch{s: s, t: t, app: s.Appendable().Appender(ctx), zero: s.sampler.last}
	if tee, ok := b.app.(*teeAppender); ok {
		tee.sampling = t
	}
	s.sampler.round++
	if b.zero == 0 && !restored {
		b.zero = t - s.o.Step.Milliseconds()
	}
	up := scraped{labels: s.sampler.scraper.labels("up", nil, "", ""), value: 1}
	b.add(up)
	for _, family := range families {
		s.sampler.scraper.scrape(family, b.add)
	}
	b.end()
	if b.err != nil {
		return errors.Join(b.err, b.app.Rollback())
	}
	if err := b.app.Commit(); err != nil {
		return err
	}
	b.keep()
	s.catalog.set(families)
	s.stats.steps.Add(1)
	s.stats.samples.Add(b.samples)
	return nil
}

// batch is one sampling on its way into the database.
type batch struct {
	s       *Store
	app     storage.Appender
	t, zero int64 // zero is when series that are new were at 0; 0 is nobody knows
	samples uint64
	fresh   []*series
	set     []change
	err     error
}

// change is a value that a known series has once the batch is stored.
type change struct {
	of    *series
	ref   storage.SeriesRef
	value float64
}

// rounding is how much smaller a sum may be that was added up in another order.
const rounding = 1e-9

func (b *batch) add(x scraped) {
	if b.err != nil {
		return
	}
	hash := x.labels.Hash()
	one := b.s.sampler.find(x.labels, hash)
	var ref storage.SeriesRef
	switch {
	case one != nil:
		ref = one.ref
		// A replay adds the same numbers in other groups. What is lost in the last digit
		// would look as if the counter had begun again.
		if x.cumulative && x.value < one.value && x.value >= one.value*(1-rounding) {
			x.value = one.value
		}
	case x.cumulative && x.own && b.zero > 0:
		switch ref, b.err = b.app.Append(0, x.labels, b.zero, 0); {
		case errors.Is(b.err, storage.ErrDuplicateSampleForTimestamp):
			// It ended then, as counters of the process do when it starts again.
			ref, b.err = 0, nil
		case b.err != nil:
			return
		default:
			b.samples++
		}
	}
	if ref, b.err = b.app.Append(ref, x.labels, b.t, x.value); b.err != nil {
		return
	}
	b.samples++
	if e := x.exemplar; e != nil {
		b.exemplar(ref, x.labels, e)
	}
	if one == nil {
		b.fresh = append(b.fresh, &series{labels: x.labels, ref: ref, value: x.value, round: b.s.sampler.round})
		return
	}
	one.round = b.s.sampler.round
	b.set = append(b.set, change{one, ref, x.value})
}

// exemplar adds an example of a bucket. One that the database does not want, as
// being older than another, is no loss.
func (b *batch) exemplar(ref storage.SeriesRef, l labels.Labels, e *dto.Exemplar) {
	pairs := make([]labels.Label, 0, len(e.GetLabel()))
	for _, p := range e.GetLabel() {
		pairs = append(pairs, labels.Label{Name: p.GetName(), Value: p.GetValue()})
	}
	at := b.t
	if e.Timestamp != nil {
		at = e.GetTimestamp().AsTime().UnixMilli()
	}
	_, _ = b.app.AppendExemplar(ref, l, exemplar.Exemplar{Labels: labels.New(pairs...), Value: e.GetValue(), Ts: at, HasTs: true})
}

// end marks series that are gone, so that nobody takes their last value for the present.
func (b *batch) end() {
	for _, list := range b.s.sampler.known {
		for _, one := range list {
			if one.round != b.s.sampler.round && b.err == nil {
				_, b.err = b.app.Append(one.ref, one.labels, b.t, staleness())
			}
		}
	}
}

// keep makes what was stored the newest.
func (b *batch) keep() {
	sm := &b.s.sampler
	sm.last = b.t
	for _, c := range b.set {
		c.of.ref, c.of.value = c.ref, c.value
	}
	for hash, list := range sm.known {
		kept := list[:0]
		for _, one := range list {
			if one.round == sm.round {
				kept = append(kept, one)
			}
		}
		if sm.known[hash] = kept; len(kept) == 0 {
			delete(sm.known, hash)
		}
	}
	for _, one := range b.fresh {
		hash := one.labels.Hash()
		sm.known[hash] = append(sm.known[hash], one)
	}
	sm.count = len(b.set) + len(b.fresh)
}

func staleness() float64 { return math.Float64frombits(value.StaleNaN) }
