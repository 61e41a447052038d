package mirror

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	result := phoenixResult{Label: j.Value, Explanation: j.Comment}
	if j.Scored {
		result.Score = &j.Score
	}
	_, out := p.annotate(ctx, j, result)
	return out
}

// defaultProject is where Phoenix has the spans that name no project.
const defaultProject = "default"

// withdraw deletes the annotation, which Phoenix does by filters in one project, and in
// its older versions not at all. So it first says that it was withdrawn: where the
// project is not the one that we know, this is what stays of it.
func (p phoenix) withdraw(ctx context.Context, j *judgement.Judgement) outcome {
	run, out := p.annotate(ctx, j, phoenixResult{Label: "withdrawn"})
	if out.verdict != taken {
		return gone(out) // of a span that it does not have it has no annotation
	}
	// It asks for a time too, which may be any; its clock need not be ours.
	query := url.Values{
		"identifier": {identifier(j)}, "name": {annotationName(j)}, "start_time": {"1970-01-01T00:00:00Z"},
		"end_time": {time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)},
	}
	for _, project := range []string{run.Project, p.sink.Project, defaultProject} {
		if project == "" {
			continue
		}
		_, out = p.do(ctx, http.MethodDelete, "/v1/projects/"+url.PathEscape(project)+"/span_annotations?"+query.Encode(), nil)
		if out.verdict == again {
			return out
		}
	}
	return outcome{verdict: taken, status: http.StatusOK}
}

func identifier(j *judgement.Judgement) string { return "treq:" + j.ID }

func annotationName(j *judgement.Judgement) string {
	if j.Key == "note" {
		return "user-note" // the name is Phoenix's own
	}
	return j.Key
}

// annotate writes an annotation of the run's span, in the place of one that is there.
func (p phoenix) annotate(ctx context.Context, j *judgement.Judgement, result phoenixResult) (Run, outcome) {
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
		return run, outcome{verdict: unknownRun, reason: "the run is not known here yet"}
	}
	a := phoenixAnnotation{
		SpanID: span, Name: annotationName(j), AnnotatorKind: annotator(j), Identifier: identifier(j),
		Metadata: map[string]string{"run_id": j.RunID, "source": j.Source}, Result: result,
	}
	body := map[string]any{"data": []phoenixAnnotation{a}}
	// Asked to wait, it says whether it knows the span.
	_, out := p.do(ctx, http.MethodPost, "/v1/span_annotations?sync=true", body)
	if out.status == http.StatusNotFound {
		out.verdict = unknownRun
	}
	return run, out
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
