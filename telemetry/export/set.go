package export

import (
	"context"
	"errors"
	"sync"

	"treq/telemetry"
)

// Set is all sinks of a process. Its methods are safe for concurrent use, and no
// sink waits for another in any of them.
type Set struct {
	sinks []*Sink
	dir   string // of the files
}

// NewSet makes the sinks, all stopped. It fails as a whole: for a configuration
// that does not validate, for a name that stands twice, or for files that cannot
// be opened. No configuration at all makes an empty set.
func NewSet(configs []Config, d Deps) (*Set, error) {
	var faults []error
	seen := map[string]bool{}
	for _, c := range configs {
		if err := c.Validate(); err != nil {
			faults = append(faults, err)
		} else if seen[c.Name] {
			faults = append(faults, telemetry.Errorf(telemetry.Unprocessable, "sinks.%s.name: stands twice", c.Name))
		}
		seen[c.Name] = true
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	set := &Set{dir: d.Dir}
	for _, c := range configs {
		s, err := New(c, d)
		if err != nil {
			_ = set.Stop(context.Background())
			return nil, err
		}
		set.sinks = append(set.sinks, s)
	}
	return set, nil
}

// Sinks gives the sinks in the order of their configurations.
func (s *Set) Sinks() []*Sink { return append([]*Sink(nil), s.sinks...) }

// Start starts every sink.
func (s *Set) Start() {
	for _, sink := range s.sinks {
		sink.Start()
	}
}

// Stop stops all sinks at the same time; see [Sink.Stop].
func (s *Set) Stop(ctx context.Context) error {
	faults := make([]error, len(s.sinks))
	var wait sync.WaitGroup
	for i, sink := range s.sinks {
		wait.Go(func() { faults[i] = sink.Stop(ctx) })
	}
	wait.Wait()
	return errors.Join(faults...)
}

// Status gives the status of each sink, never nil.
func (s *Set) Status() []Status {
	all := make([]Status, len(s.sinks))
	for i, sink := range s.sinks {
		all[i] = sink.Status()
	}
	return all
}

// Stuck gives the names of the sinks that are stuck; see [Sink.Stuck].
func (s *Set) Stuck() []string {
	var names []string
	for _, sink := range s.sinks {
		if sink.Stuck() {
			names = append(names, sink.Name())
		}
	}
	return names
}
