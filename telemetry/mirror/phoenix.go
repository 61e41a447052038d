package mirror

import (
	"context"
	"net/http"
	"strings"

	"treq/telemetry/judgement"
)

// phoenix tells Phoenix by annotations of spans: of the run's own, which is the
// trace's root where the whole trace was judged. Name, span and identifier make one
// annotation; the same again takes its place.
type phoenix struct{ *client }

type phoenixAnnotation struct {
	SpanID        string            `json:"span_id"`
	Name          string            `json:"name"`
	AnnotatorKind string            `json:"annotator_kind"`
	Result        phoenixResult     `json:"result"`
	Metadata      map[string]string `json:"metadata"`
	Identifier    string            `json:"identifier"`
}

type phoenixResult struct {
	Label       string   `json:"label,omitempty"`
	Score       *float64 `json:"score,omitempty"`
	Explanation string   `json:"explanation,omitempty"`
}

func (phoenix) takes(j *judgement.Judgement) bool {
	return j.RunID != "" && (j.Scored || j.Value != "" || j.Comment != "")
}

func (p phoenix) tell(ctx context.Context, j *judgement.Judgement, _ bool) outcome {
	span := j.SpanID
	run, known := p.resolve(ctx, j.RunID)
	if known {
		span = run.SpanID
	} else if canonical := judgement.Canonical(j.RunID); span == "" && isUUID(canonical) {
		// A span id, right-aligned in a zero UUID, says itself which span it means.
		if tail, ok := strings.CutPrefix(canonical, "00000000-0000-0000-"); ok {
			span = strings.ReplaceAll(tail, "-", "")
		}
	}
	if span == "" {
		return outcome{verdict: unknownRun, reason: "the run is not known here yet"}
	}
	a := phoenixAnnotation{
		SpanID: span, Name: j.Key, AnnotatorKind: annotator(j), Identifier: "treq:" + j.ID,
		Metadata: map[string]string{"run_id": j.RunID, "source": j.Source},
		Result:   phoenixResult{Label: j.Value, Explanation: j.Comment},
	}
	if a.Name == "note" {
		a.Name = "user-note" // the name is Phoenix's own
	}
	if j.Scored {
		a.Result.Score = &j.Score
	}
	body := map[string]any{"data": []phoenixAnnotation{a}}
	// Asked to wait, it says whether it knows the span.
	_, out := p.do(ctx, http.MethodPost, "/v1/span_annotations?sync=true", body)
	if out.status == http.StatusNotFound {
		out.verdict = unknownRun
	}
	return out
}

func annotator(j *judgement.Judgement) string {
	switch j.Source {
	case judgement.FromModel:
		return "LLM"
	case judgement.FromOTLP:
		return "CODE"
	}
	return "HUMAN"
}
