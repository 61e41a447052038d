package reported

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
)

// The defaults of Options.
const (
	DefaultMaxSeries = 10000
	DefaultIdle      = 15 * time.Minute
)

// Options bounds a Store. The zero value gives the defaults.
type Options struct {
	// MaxSeries is how many series, and how many names, are kept; 0 is DefaultMaxSeries.
	MaxSeries int
	// Idle is how long a series must have been silent to make room for another
	// when the store is full, by admission time; 0 is DefaultIdle.
	Idle time.Duration
}

// Store keeps what services report. All methods are safe for concurrent use.
type Store struct {
	maxSeries int
	idle      time.Duration

	mu       sync.Mutex
	series   map[seriesKey]*series
	families map[string]*family // by name
	kinds    map[string]kind    // by the name that is exposed
	services map[string]map[*series]struct{}
	refused  map[string]int64 // points by reason
	swept    time.Time        // when room was last looked for

	// Good until the next change.
	produced []metricdata.ScopeMetrics
	saved    []byte
}

var _ sdkmetric.Producer = (*Store)(nil)

// seriesKey names a series by its metric and all its attributes.
type seriesKey struct {
	metric string
	attrs  attribute.Distinct
}

// family is what the series of one name have in common.
type family struct {
	name, unit, description string
	kind                    kind
}

// NewStore makes an empty store.
func NewStore(o Options) *Store {
	if o.MaxSeries <= 0 {
		o.MaxSeries = DefaultMaxSeries
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	s := &Store{maxSeries: o.MaxSeries, idle: o.Idle}
	s.clear()
	return s
}

func (s *Store) clear() {
	s.series = map[seriesKey]*series{}
	s.families = map[string]*family{}
	s.kinds = map[string]kind{}
	s.services = map[string]map[*series]struct{}{}
	s.refused = map[string]int64{}
	s.changed()
}

func (s *Store) changed() { s.produced, s.saved = nil, nil }

// Consume takes an ExportMetricsServiceRequest that the journal admitted at that
// time. Points that cannot be kept are counted by reason and cost the others
// nothing; the error (telemetry.Invalid) is for a body that does not decode, of
// which nothing is kept. The body is not kept.
func (s *Store) Consume(admitted time.Time, body []byte) error {
	message, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body)
	if err != nil {
		return &telemetry.Error{Kind: telemetry.Invalid, Message: "the metrics do not decode", Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed()
	for _, resource := range message.ResourceMetrics().All() {
		w := intake{Store: s, seen: admitted, base: identity(resource.Resource().Attributes())}
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				w.metric(m)
			}
		}
	}
	return nil
}

// identity gives the attributes of a resource that tell its series from those of others.
func identity(resource pcommon.Map) []attribute.KeyValue {
	service := "unknown_service"
	if v, ok := resource.Get(attrService); ok && v.AsString() != "" {
		service = bounded(v.AsString())
	}
	base := []attribute.KeyValue{attribute.String(attrService, service)}
	if v, ok := resource.Get(attrInstance); ok && v.AsString() != "" {
		base = append(base, attribute.String(attrInstance, bounded(v.AsString())))
	}
	return base
}

// room makes room for one more series, if need be by dropping those that have
// been silent, and tells whether there is any.
func (s *Store) room(now time.Time) bool {
	if len(s.series) < s.maxSeries {
		return true
	}
	// A look at every series for every refused point would be slow.
	if now.Sub(s.swept) < time.Minute && !s.swept.IsZero() {
		return false
	}
	s.swept = now
	for key, one := range s.series {
		if now.Sub(one.seen) > s.idle {
			delete(s.series, key)
			delete(s.services[one.service], one)
			if len(s.services[one.service]) == 0 {
				delete(s.services, one.service)
			}
		}
	}
	return len(s.series) < s.maxSeries
}

// Refused gives how many points were not kept, by reason.
func (s *Store) Refused() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := make(map[string]int64, len(s.refused))
	for reason, n := range s.refused {
		refused[reason] = n
	}
	return refused
}

// Series gives how many series are kept.
func (s *Store) Series() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.series)
}

// Produce gives everything that is kept, as cumulative metrics of the scope
// Scope, for a reader of the SDK. What it gives is shared: do not change it.
func (s *Store) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.produced == nil {
		s.produced = s.produce()
	}
	return s.produced, nil
}
