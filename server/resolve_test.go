package server

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/runs"
	"treq/telemetry/mirror"
)

// TestRunsOfPeersAreResolved takes what a judgement's sinks want of a run out of the
// document that another replica gave, and waits for a root that may still come.
func TestRunsOfPeersAreResolved(t *testing.T) {
	const trace, run = "0123456789abcdef0123456789abcdef", "00000000-0000-0000-0011-223344556677"
	at := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	document := func(parent string) json.RawMessage {
		return json.RawMessage(`{"run_id":"` + run + `","trace_id":"` + trace + `","project":"mine","tree":[
			{"span_id":"ffffffffffffffff","run_id":"00000000-0000-0000-ffff-ffffffffffff","start":"2026-01-05T11:00:00Z","children":[]},
			{"span_id":"0011223344556677"` + parent + `,"run_id":"` + run + `","start":"2026-01-05T12:00:00Z","children":[]}]}`)
	}
	whole, part := document(""), document(`,"parent_span_id":"8899aabbccddeeff"`)
	known := mirror.Run{ID: run, TraceID: trace, SpanID: "0011223344556677", Root: true, Project: "mine", Start: at}
	below := known
	below.Root = false
	for name, c := range map[string]struct {
		document json.RawMessage
		id       string
		after    time.Duration
		want     *mirror.Run
	}{
		"a root":                         {whole, trace, time.Second, &known},
		"without its root, by trace":     {part, trace, time.Second, nil},
		"spelled as a UUID":              {part, "01234567-89AB-CDEF-0123-456789ABCDEF", time.Second, nil},
		"a root that did not come":       {part, trace, runs.RootWait, &below},
		"a span, by its own id":          {part, "0011223344556677", time.Second, &below},
		"no span":                        {json.RawMessage(`{"run_id":"` + run + `","tree":[]}`), trace, time.Hour, nil},
		"another kind of document":       {json.RawMessage(`{"run_id":7}`), trace, time.Hour, nil},
		"a run that no root is named by": {json.RawMessage(`{"run_id":"x","tree":[{"run_id":"y"}]}`), trace, time.Hour, nil},
	} {
		got, ok := resolved(c.document, c.id, at.Add(c.after))
		if ok != (c.want != nil) {
			t.Errorf("%s: %v %+v", name, ok, got)
		} else if ok {
			if diff := cmp.Diff(*c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}
