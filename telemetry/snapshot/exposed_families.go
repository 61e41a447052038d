package snapshot

import (
	"context"

	dto "github.com/prometheus/client_model/go"
)

// Families gives what a scrape would show now, before it is spelled out. Askers of
// one snapshot share the families: do not change them.
func (e *Exposition) Families(ctx context.Context) ([]*dto.MetricFamily, error) {
	s, err := e.reader.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.sequence < s.sequence {
		if err := e.gather(s); err != nil {
			return nil, err
		}
	}
	return e.families, nil
}
