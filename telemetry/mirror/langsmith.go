package mirror

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"treq/telemetry/judgement"
)

// langSmith tells LangSmith by its feedback API, as its own clients do.
type langSmith struct{ *client }

func (langSmith) takes(j *judgement.Judgement) bool { return j.RunID != "" || j.Told != nil }

func (l langSmith) tell(ctx context.Context, j *judgement.Judgement, told bool) outcome {
	body, out := l.body(ctx, j)
	if out.verdict != taken {
		return out
	}
	one := "/feedback/" + url.PathEscape(j.ID)
	if told {
		if _, out = l.do(ctx, http.MethodPatch, one, changed(body)); out.status != http.StatusNotFound {
			return out
		}
		// It was deleted there; a vote is a vote.
	}
	_, out = l.do(ctx, http.MethodPost, "/feedback", body)
	switch out.status {
	case http.StatusNotFound:
		out.verdict = unknownRun
	case http.StatusConflict:
		// Sent before a crash, or before the vote changed.
		if _, out = l.do(ctx, http.MethodPatch, one, changed(body)); out.status == http.StatusNotFound {
			out.verdict = unknownRun
		}
	}
	return out
}

func (l langSmith) withdraw(ctx context.Context, j *judgement.Judgement) outcome {
	_, out := l.do(ctx, http.MethodDelete, "/feedback/"+url.PathEscape(j.ID), nil)
	return gone(out)
}

// body gives what LangSmith is told. What its own client said stays as it came.
func (l langSmith) body(ctx context.Context, j *judgement.Judgement) (map[string]any, outcome) {
	body := map[string]any{}
	if j.Told != nil {
		var said map[string]json.RawMessage
		if err := json.Unmarshal(j.Told, &said); err != nil {
			return nil, outcome{verdict: refused, reason: "its further fields are no object"}
		}
		for name, value := range said {
			body[name] = value
		}
	}
	put := func(name string, value any) {
		if _, said := body[name]; !said {
			body[name] = value
		}
	}
	body["id"], body["key"] = j.ID, j.Key
	if j.Comment != "" {
		body["comment"] = j.Comment
	}
	if j.Scored {
		put("score", math.Round(j.Score*1e4)/1e4) // its API takes four decimals
	}
	if j.Value != "" {
		put("value", j.Value)
	}
	put("feedback_source", source{sourceType(j), map[string]string{"source": j.Source}})
	if !j.Time.IsZero() {
		at := j.Time.UTC().Format(time.RFC3339Nano)
		put("created_at", at)
		put("modified_at", at)
	}
	if j.RunID == "" {
		return body, outcome{}
	}
	run, known := l.resolve(ctx, j.RunID)
	if !known && !isUUID(j.RunID) {
		return nil, outcome{verdict: unknownRun, reason: "the run is not known here yet"}
	}
	body["run_id"] = judgement.Canonical(j.RunID)
	if known {
		body["run_id"] = run.ID
		project := run.Project
		if project == "" {
			project = l.sink.Project
		}
		if l.sink.Projects == nil {
			return body, outcome{}
		}
		// Its newer storage wants to know where, and since when, a run is.
		p, ok, failure := l.sink.Projects.find(ctx, project)
		if failure != nil {
			return nil, *failure
		}
		if ok {
			put("session_id", p.ID)
			if !run.Start.IsZero() {
				put("start_time", run.Start.UTC().Format(time.RFC3339Nano))
			}
		}
	}
	return body, outcome{}
}

type source struct {
	Type     string            `json:"type"`
	Metadata map[string]string `json:"metadata"`
}

// sourceType gives one of the types that LangSmith knows.
func sourceType(j *judgement.Judgement) string {
	if j.Source == judgement.FromModel {
		return "model"
	}
	return "api"
}

// changed gives the fields of a judgement that may change.
func changed(body map[string]any) map[string]any {
	patch := map[string]any{"score": nil, "value": nil, "comment": nil}
	for _, name := range []string{"score", "value", "comment", "correction"} {
		if v, ok := body[name]; ok {
			patch[name] = v
		}
	}
	return patch
}

// isUUID tells whether an id names a run by itself: a UUID with dashes, or a span id.
// 32 digits without dashes are OpenTelemetry's trace id, which is no run's.
func isUUID(id string) bool {
	canonical := judgement.Canonical(id)
	return len(canonical) == 36 && (strings.EqualFold(canonical, id) || len(id) == 16) && !strings.HasPrefix(canonical, "00000000-0000-0000-0000-000000000000")
}
