package mirror

import (
	"context"
	"net/http"
	"net/url"

	"treq/telemetry/judgement"
)

// langfuse tells Langfuse by its scores. A score with a known id takes the place of
// the one before, and may come before its trace does.
type langfuse struct{ *client }

type langfuseScore struct {
	ID            string            `json:"id"`
	TraceID       string            `json:"traceId"`
	ObservationID string            `json:"observationId,omitempty"`
	Name          string            `json:"name"`
	Value         any               `json:"value"`
	DataType      string            `json:"dataType"`
	Comment       string            `json:"comment,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

func (langfuse) takes(j *judgement.Judgement) bool {
	return j.RunID != "" && (j.Scored || j.Value != "" || j.Comment != "")
}

func (l langfuse) tell(ctx context.Context, j *judgement.Judgement, _ bool) outcome {
	score := langfuseScore{ID: j.ID, Name: j.Key, Comment: j.Comment, Metadata: map[string]string{"run_id": j.RunID, "source": j.Source}}
	switch run, known := l.resolve(ctx, j.RunID); {
	case known:
		score.TraceID = run.TraceID
		if !run.Root {
			score.ObservationID = run.SpanID
		}
	case j.TraceID != "":
		score.TraceID, score.ObservationID = j.TraceID, j.SpanID
	default:
		return outcome{verdict: unknownRun, reason: "the run is not known here yet"}
	}
	switch {
	case j.Scored:
		score.Value, score.DataType = j.Score, "NUMERIC"
	case j.Value != "":
		score.Value, score.DataType = j.Value, "CATEGORICAL"
	default:
		score.Value, score.DataType, score.Comment = j.Comment, "TEXT", ""
	}
	_, out := l.do(ctx, http.MethodPost, "/api/public/scores", score)
	return out
}

func (l langfuse) withdraw(ctx context.Context, j *judgement.Judgement) outcome {
	_, out := l.do(ctx, http.MethodDelete, "/api/public/scores/"+url.PathEscape(j.ID), nil)
	return gone(out)
}
