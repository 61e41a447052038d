package snapshot

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
	"treq/telemetry/instrument"
)

// DefaultMaxAge is how long a collection answers further questions.
const DefaultMaxAge = 100 * time.Millisecond

// Options configures a Reader. The zero value is ready to use.
type Options struct {
	// MaxAge is how old a collection may be to answer a question that comes
	// later; 0 is DefaultMaxAge, negative is none.
	MaxAge time.Duration
	// Instruments are the meter's, which the reader collects; nil is none.
	Instruments *instrument.Instruments
	// Producers give metrics from outside the SDK, such as those that services report.
	Producers []sdkmetric.Producer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Reader collects metrics and adds the restored totals to those of the meter's
// scope. It is an SDK reader (for exactly one MeterProvider, see NewProvider) and
// an SDK producer (for exporters of other providers). All methods are safe for
// concurrent use.
type Reader struct {
	*sdkmetric.ManualReader

	maxAge      time.Duration
	now         func() time.Time
	instruments *instrument.Instruments
	version     atomic.Uint64
	restored    atomic.Pointer[totals]

	mu     sync.Mutex
	last   *Snapshot
	flight *flight
}

// flight is a collection on its way.
type flight struct {
	done     chan struct{}
	snapshot *Snapshot // before done is closed: only its beginning
	err      error
}

var (
	_ sdkmetric.Reader   = (*Reader)(nil)
	_ sdkmetric.Producer = (*Reader)(nil)
)

// NewReader makes a reader. It must be given to one MeterProvider before it collects.
func NewReader(o Options) *Reader {
	if o.MaxAge == 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	options := []sdkmetric.ManualReaderOption{sdkmetric.WithAggregationSelector(aggregation)}
	if o.Instruments != nil {
		options = append(options, sdkmetric.WithProducer(events{o.Instruments}))
	}
	for _, producer := range o.Producers {
		options = append(options, sdkmetric.WithProducer(producer))
	}
	return &Reader{
		ManualReader: sdkmetric.NewManualReader(options...),
		maxAge:       max(o.MaxAge, 0),
		now:          o.Now,
		instruments:  o.Instruments,
	}
}

// aggregation is the SDK's default without the smallest and largest value, which
// cannot be joined with those of another process's life.
func aggregation(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	if kind == sdkmetric.InstrumentKindHistogram {
		return sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{}, NoMinMax: true}
	}
	return sdkmetric.DefaultAggregationSelector(kind)
}

// NewProvider makes the one MeterProvider of a reader. The SDK's own limit on
// series is off, because the instruments bound them and say what they fold;
// exemplars are kept for measurements that name a trace.
func NewProvider(r *Reader) *sdkmetric.MeterProvider {
	return sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(r),
		sdkmetric.WithCardinalityLimit(0),
		sdkmetric.WithExemplarFilter(exemplar.TraceBasedFilter),
	)
}

// Invalidate makes every question asked from now on be answered by a collection
// that begins from now on. The meter calls it when it has counted a post, so
// that the next GET shows it.
func (r *Reader) Invalidate() { r.version.Add(1) }

// Version grows with every Invalidate and Restore: a rendering made of a snapshot of
// the present version is not older than the last post.
func (r *Reader) Version() uint64 { return r.version.Load() }

// Snapshot gives a collection that began after the call or at most MaxAge before
// it, and after the last Invalidate. Many askers share one. If ctx ends while
// another asker collects, its error is returned; the collection goes on.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) {
	return r.snapshot(ctx, r.maxAge)
}

func (r *Reader) snapshot(ctx context.Context, maxAge time.Duration) (*Snapshot, error) {
	asked, version := r.now(), r.version.Load()
	fresh := func(s *Snapshot) bool {
		return s != nil && s.version >= version && asked.Sub(s.began) <= maxAge
	}
	// A clock may stand still between two collections; without an age, only one
	// that began after the question counts.
	r.mu.Lock()
	var sequence uint64
	if r.last != nil {
		sequence = r.last.sequence
	}
	if r.flight != nil {
		sequence = r.flight.snapshot.sequence
	}
	accept := func(s *Snapshot) bool {
		return s != nil && (s.sequence > sequence || maxAge > 0 && fresh(s))
	}
	for {
		if accept(r.last) {
			defer r.mu.Unlock()
			return r.last, nil
		}
		f := r.flight
		if f == nil {
			return r.lead(ctx, sequence+1)
		}
		good := accept(f.snapshot)
		r.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if good {
			return f.snapshot, f.err
		}
		r.mu.Lock()
	}
}

// lead collects for all who wait. It is called with the lock held and releases it.
func (r *Reader) lead(ctx context.Context, sequence uint64) (*Snapshot, error) {
	f := &flight{done: make(chan struct{}), snapshot: &Snapshot{sequence: sequence, began: r.now(), version: r.version.Load()}}
	r.flight = f
	r.mu.Unlock()

	defer func() {
		if p := recover(); p != nil {
			f.err = telemetry.Errorf(telemetry.Internal, "a collection panicked")
			r.land(f)
			panic(p)
		}
	}()
	var collected metricdata.ResourceMetrics
	f.err = r.Collect(context.WithoutCancel(ctx), &collected)
	f.snapshot.scopes = collected.ScopeMetrics
	r.land(f)
	if f.err != nil {
		return nil, f.err
	}
	return f.snapshot, nil
}

func (r *Reader) land(f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flight = nil
	if f.err == nil {
		r.last = f.snapshot
	} else {
		f.snapshot = nil
	}
	close(f.done)
}

// Collect replaces rm by what the SDK and the producers hold, with the restored
// totals added. It implements the SDK's reader; most callers want Snapshot.
func (r *Reader) Collect(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	var fresh metricdata.ResourceMetrics
	if err := r.ManualReader.Collect(ctx, &fresh); err != nil {
		return err
	}
	fresh.ScopeMetrics = joinScopes(fresh.ScopeMetrics)
	if restored := r.restored.Load(); restored != nil {
		fresh.ScopeMetrics = restored.addTo(fresh.ScopeMetrics, r.now())
	}
	*rm = fresh
	return nil
}

// joinScopes makes one scope of those of one name: the SDK and producers may both
// have metrics of it.
func joinScopes(scopes []metricdata.ScopeMetrics) []metricdata.ScopeMetrics {
	joined := scopes[:0]
	for _, scope := range scopes {
		at := slices.IndexFunc(joined, func(s metricdata.ScopeMetrics) bool { return s.Scope == scope.Scope })
		if at < 0 {
			joined = append(joined, scope)
			continue
		}
		joined[at].Metrics = append(joined[at].Metrics, scope.Metrics...)
	}
	return joined
}

// Produce gives the metrics of a Snapshot. They are shared: do not change them.
func (r *Reader) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	s, err := r.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return s.scopes, nil
}
