package snapshot

import (
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Snapshot is one collection. It never changes and is safe for concurrent use.
type Snapshot struct {
	scopes   []metricdata.ScopeMetrics
	began    time.Time
	version  uint64
	sequence uint64

	once sync.Once
	all  Tally

	exposedOnce sync.Once
	exposed     []metricdata.ScopeMetrics
}

// Began is when the collection began: it holds everything recorded before.
func (s *Snapshot) Began() time.Time { return s.began }

// Version is the reader's version when the collection began.
func (s *Snapshot) Version() uint64 { return s.version }

// Scopes gives the metrics by scope. They are shared: do not change them.
func (s *Snapshot) Scopes() []metricdata.ScopeMetrics { return s.scopes }

// Metric gives the metric of that scope and name, and false if nothing was
// measured on it yet. Its data are shared: do not change them.
func (s *Snapshot) Metric(scope, name string) (metricdata.Metrics, bool) {
	for i := range s.scopes {
		if s.scopes[i].Scope.Name != scope {
			continue
		}
		for _, m := range s.scopes[i].Metrics {
			if m.Name == name {
				return m, true
			}
		}
	}
	return metricdata.Metrics{}, false
}
