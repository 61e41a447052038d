package history

import (
	"strings"
	"sync/atomic"

	dto "github.com/prometheus/client_model/go"
)

// Metadata says what a metric is.
type Metadata struct {
	Type string `json:"type"` // counter, gauge, histogram, summary, unknown
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// catalog holds what the metrics of the newest sampling are.
type catalog struct {
	entries atomic.Pointer[map[string]Metadata]
}

// set takes over a sampling's families, unless they are as many as before: names
// come and do not go.
func (c *catalog) set(families []*dto.MetricFamily) {
	if old := c.entries.Load(); old != nil && len(*old) == len(families) {
		return
	}
	entries := make(map[string]Metadata, len(families))
	for _, f := range families {
		kind := strings.ToLower(f.GetType().String())
		if kind == "untyped" {
			kind = "unknown"
		}
		entries[f.GetName()] = Metadata{Type: kind, Help: f.GetHelp(), Unit: f.GetUnit()}
	}
	c.entries.Store(&entries)
}

// Metadata gives what the sampled metrics are, by name. It is shared: do not
// change it.
func (s *Store) Metadata() map[string]Metadata {
	if entries := s.catalog.entries.Load(); entries != nil {
		return *entries
	}
	return nil
}
