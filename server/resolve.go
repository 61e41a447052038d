package server

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"treq/server/fleet"
	"treq/server/runs"
	"treq/telemetry/judgement"
	"treq/telemetry/mirror"
)

// resolver gives what a run is called elsewhere, also one that another replica has:
// who judges asks any replica, and the gateway gave the run's trace to one.
type resolver struct {
	viewer *runs.Viewer
	peers  *fleet.Peers // nil where there are none
}

// Resolve implements mirror.Resolver.
func (r resolver) Resolve(ctx context.Context, id string) (mirror.Run, bool) {
	run, ok := r.viewer.Resolve(ctx, id)
	if ok {
		return mirror.Run{
			ID: run.RunID, TraceID: run.TraceID, SpanID: run.SpanID, Root: run.Root, Project: run.Project, Start: run.Start,
		}, true
	}
	if r.peers == nil {
		return mirror.Run{}, false
	}
	document, err := r.peers.Run(ctx, id, false)
	if err != nil {
		return mirror.Run{}, false // the judgement waits, and is resolved again
	}
	return resolved(document, id, time.Now())
}

// resolved reads out of a peer's document of a run what Viewer.Resolve would give
// there; false where the trace may still get its root, which an id of the trace means.
func resolved(document json.RawMessage, id string, now time.Time) (mirror.Run, bool) {
	type span struct {
		SpanID string    `json:"span_id"`
		Parent string    `json:"parent_span_id"`
		RunID  string    `json:"run_id"`
		Start  time.Time `json:"start"`
	}
	var run struct {
		RunID   string `json:"run_id"`
		TraceID string `json:"trace_id"`
		Project string `json:"project"`
		Tree    []span `json:"tree"`
	}
	if err := json.Unmarshal(document, &run); err != nil {
		return mirror.Run{}, false
	}
	i := slices.IndexFunc(run.Tree, func(s span) bool { return s.RunID == run.RunID })
	if i < 0 {
		return mirror.Run{}, false
	}
	s := run.Tree[i]
	if s.Parent != "" && judgement.Canonical(id) == judgement.Canonical(run.TraceID) && now.Sub(s.Start) < runs.RootWait {
		return mirror.Run{}, false
	}
	return mirror.Run{ID: s.RunID, TraceID: run.TraceID, SpanID: s.SpanID, Root: s.Parent == "", Project: run.Project, Start: s.Start}, true
}
