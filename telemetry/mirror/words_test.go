package mirror

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/judgement"
)

// Resolve makes known a Resolver.
func (k *known) Resolve(_ context.Context, id string) (Run, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.runs[id]
	return r, ok
}

func TestLangSmithIsToldAsItsClientsTellIt(t *testing.T) {
	within(t, Sink{Words: LangSmith, Tenant: "workspace", AlsoAs: []string{"score"}}, func(h *house) {
		j := h.judge(judgement.Judgement{RunID: runA, Scored: true, Score: 2. / 3, Comment: "sim"})
		at := j.Time.UTC().Format(time.RFC3339Nano)
		want := func(id, key string) map[string]any {
			return map[string]any{
				"id": id, "run_id": runA, "key": key, "score": 0.6667, "comment": "sim", "created_at": at, "modified_at": at,
				"feedback_source": map[string]any{"type": "api", "metadata": map[string]any{"source": "api"}},
			}
		}
		also := j.Renamed("score")
		if diff := cmp.Diff(map[string]map[string]any{j.ID: want(j.ID, "user-score"), also.ID: want(also.ID, "score")}, h.backend.has()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, c := range h.backend.seen() {
			for name, want := range map[string]string{
				"X-Api-Key": "sealed-key", "X-Tenant-Id": "workspace", "Content-Type": "application/json",
				"Treq-Hop": "me", "User-Agent": "treq-telemetry/1.2.3",
			} {
				if got := c.header.Get(name); got != want {
					t.Errorf("%s: %q, not %q", name, got, want)
				}
			}
		}
		if s := h.status(); s.Sent != 2 || s.State != Running || s.LastSuccess == nil {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhatLangSmithsOwnClientSaidStaysAsItCame(t *testing.T) {
	within(t, Sink{Words: LangSmith, AlsoAs: []string{"score"}}, func(h *house) {
		const id = "99999999-9999-4999-8999-999999999999"
		h.judge(judgement.Judgement{ID: id, RunID: runA, Key: "user-score", Told: []byte(
			`{"score":4.5,"value":{"a":1},"trace_id":"` + runA + `","feedback_source":{"type":"model","metadata":{}},"created_at":"2026-01-01T00:00:00","modified_at":"x","correction":"no"}`)})
		want := map[string]any{
			"id": id, "run_id": runA, "key": "user-score", "score": 4.5, "value": map[string]any{"a": 1.}, "trace_id": runA,
			"feedback_source": map[string]any{"type": "model", "metadata": map[string]any{}}, "created_at": "2026-01-01T00:00:00",
			"modified_at": "x", "correction": "no",
		}
		if diff := cmp.Diff(map[string]map[string]any{id: want}, h.backend.has()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		// Nor is one whose id it left to us told under another key.
		h.judge(judgement.Judgement{RunID: runB, Told: []byte(`{"score":1}`)})
		if got := h.backend.has(); len(got) != 2 {
			t.Errorf("%v", got)
		}
	})
}

func TestLangSmithIsToldWhereARunIs(t *testing.T) {
	backend := newBackend(t)
	within(t, Sink{Words: LangSmith, Project: "mine"}, func(h *house) {
		h.stop()
		h.options.Transport = backend
		projects := NewProjects(h.options.Sinks[0], h.options)
		defer projects.Close()
		h.options.Sinks[0].Projects = projects
		start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		// A look-up that fails is tried again before LangSmith is told half of it.
		backend.faults = []fault{{status: 503}, {}, {status: 429, retryAfter: "30"}}
		trace := "0af7651916cd43dd8448eb211c80319c"
		h.runs.add(trace, Run{ID: runB, TraceID: trace, SpanID: "b7ad6b7169203331", Root: true, Start: start})
		h.start()
		j := h.judge(thumb(trace, 1))
		h.pass(2 * time.Minute)
		got := backend.has()[j.ID]
		if got["run_id"] != runB || got["session_id"] != "22222222-2222-4222-8222-222222222222" || got["start_time"] != "2026-01-01T12:00:00Z" {
			t.Errorf("%v", got)
		}
	})
}

func TestLangfuseIsToldByScores(t *testing.T) {
	within(t, Sink{Words: Langfuse}, func(h *house) {
		const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
		h.runs.add(runA, Run{TraceID: trace, SpanID: span, Root: true})
		h.runs.add(runB, Run{TraceID: trace, SpanID: span})
		up := h.judge(judgement.Judgement{RunID: runA, Scored: true, Score: 1, Comment: "bom"})
		category := h.judge(judgement.Judgement{RunID: runB, Key: "tone", Value: "polite"})
		words := h.judge(judgement.Judgement{RunID: runB, Key: "note", Comment: "só isto"})
		meta := func(run string) map[string]any { return map[string]any{"run_id": run, "source": "api"} }
		want := map[string]map[string]any{
			up.ID: {
				"id": up.ID, "traceId": trace, "name": "user-score", "value": 1., "dataType": "NUMERIC", "comment": "bom", "metadata": meta(runA),
			},
			category.ID: {
				"id": category.ID, "traceId": trace, "observationId": span, "name": "tone", "value": "polite", "dataType": "CATEGORICAL", "metadata": meta(runB),
			},
			words.ID: {
				"id": words.ID, "traceId": trace, "observationId": span, "name": "note", "value": "só isto", "dataType": "TEXT", "metadata": meta(runB),
			},
		}
		if diff := cmp.Diff(want, h.backend.has()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPhoenixIsToldByAnnotations(t *testing.T) {
	within(t, Sink{Words: Phoenix}, func(h *house) {
		const span = "b7ad6b7169203331"
		h.runs.add(runA, Run{TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: span, Root: true})
		h.backend.unknown[span] = true
		human := h.judge(judgement.Judgement{RunID: runA, Scored: true, Score: 0, Comment: "errado"})
		model := h.judge(judgement.Judgement{RunID: "00000000-0000-0000-b7ad-6b7169203331", Key: "note", Source: judgement.FromModel, Value: "off topic"})
		if s := h.status(); s.WaitingForRun != 2 {
			t.Errorf("a span that Phoenix does not know: %+v", s)
		}
		h.backend.know(span)
		h.pass(2 * time.Second)
		want := map[string]map[string]any{
			"user-score " + span + " treq:" + human.ID: {
				"span_id": span, "name": "user-score", "annotator_kind": "HUMAN", "identifier": "treq:" + human.ID,
				"result": map[string]any{"score": 0., "explanation": "errado"}, "metadata": map[string]any{"run_id": runA, "source": "api"},
			},
			"user-note " + span + " treq:" + model.ID: {
				"span_id": span, "name": "user-note", "annotator_kind": "LLM", "identifier": "treq:" + model.ID,
				"result": map[string]any{"label": "off topic"}, "metadata": map[string]any{"run_id": model.RunID, "source": "model"},
			},
		}
		if diff := cmp.Diff(want, h.backend.has()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestProjectsAreLookedUpOnceAndNobodyWaits(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		projects := NewProjects(h.options.Sinks[0], h.options)
		defer projects.Close()
		if _, ok := projects.Known("mine"); ok {
			t.Error("known before it was asked for")
		}
		h.pass(0)
		want := Project{Tenant: "33333333-3333-4333-8333-333333333333", ID: "22222222-2222-4222-8222-222222222222"}
		for range 3 {
			h.pass(10 * time.Second)
			if got, ok := projects.Known("mine"); !ok || got != want {
				t.Errorf("%v %v", got, ok)
			}
			if _, ok, failure := projects.find(h.t.Context(), "unheard"); ok || failure != nil {
				t.Error("a project that is not there is known")
			}
		}
		if n := len(h.backend.seen()); n != 2 {
			t.Errorf("asked %d times for two names", n)
		}
		h.pass(projectLife)
		h.backend.faults = []fault{{status: 500}}
		if got, ok := projects.Known("mine"); !ok || got != want {
			t.Errorf("an old answer does not hold while it is asked again: %v %v", got, ok)
		}
		h.pass(0)
		if got, ok := projects.Known("mine"); !ok || got != want {
			t.Errorf("an old answer does not hold over a failure: %v %v", got, ok)
		}
	})
}
