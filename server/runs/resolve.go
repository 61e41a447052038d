package runs

import (
	"context"
	"encoding/hex"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

// Resolved is what a run is called elsewhere.
type Resolved struct {
	// RunID is LangSmith's: docs/api.md, section 5.
	RunID string
	// TraceID and SpanID are OpenTelemetry's, of the run's own span; Root tells that
	// it has no parent.
	TraceID, SpanID string
	Root            bool
	// Project is LangSmith's, "" if neither the run nor the settings name one.
	Project string
	Start   time.Time
}

// RootWait is how long after its first span a trace may still get its root, which
// comes last.
const RootWait = 2 * time.Minute

// Resolve gives the run that an id means, which is any that Get takes; false where
// the index knows none. It does not look through the journal, so that it can be asked
// often for runs that are yet to come; behind a start it waits, until ctx ends, for the
// index to be made again.
func (v *Viewer) Resolve(ctx context.Context, id string) (Resolved, bool) {
	w, err := want(id)
	if err != nil {
		return Resolved{}, false
	}
	var p place
	err = v.locateIndexed(ctx, &w, &p)
	if err == nil && !p.any && !v.isRebuilt() {
		select {
		case <-v.rebuilt:
			err = v.locateIndexed(ctx, &w, &p)
		case <-ctx.Done():
		}
	}
	if err != nil || !p.any {
		return Resolved{}, false
	}
	c, err := newCollector(v.o.Rules, p.trace)
	if err != nil {
		return Resolved{}, false
	}
	c.room = 0 // for content, which nobody asks for
	var scanner otlp.Scanner
	project, room := "", mostBytes
	err = v.at(ctx, v.index.find(mostRecords, p.trace[:]), func(rec *journal.Record, body []byte) bool {
		_ = scanner.Traces(body, c) // a damaged record says nothing
		if project == "" {
			project = rec.Project
		}
		room -= len(body)
		return room > 0
	})
	if err != nil || len(c.spans) == 0 {
		return Resolved{}, false
	}
	s := c.byID[p.span]
	if s == nil {
		s = top(tree(c.spans, c.byID))
		if s.parent != [8]byte{} && v.o.Now().Sub(time.Time(s.Start)) < RootWait {
			return Resolved{}, false
		}
	}
	r := Resolved{
		RunID: s.RunID, TraceID: hex.EncodeToString(p.trace[:]), SpanID: s.SpanID, Root: s.parent == [8]byte{},
		Start: time.Time(s.Start),
	}
	for _, told := range []string{c.projects[s], project, v.o.Links.Project} {
		if r.Project = told; told != "" {
			break
		}
	}
	return r, true
}
