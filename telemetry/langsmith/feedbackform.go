package langsmith

import (
	"encoding/json"
	"time"

	"treq/telemetry/judgement"
)

// FeedbackFields gives a judgement in the words of LangSmith's API, as its clients
// read it: what they said, as they said it, else what we know. The map is the
// caller's.
func FeedbackFields(j *judgement.Judgement) map[string]json.RawMessage {
	fields := members(j.Told)
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	put := func(name string, v any) {
		if encoded, err := json.Marshal(v); err == nil {
			fields[name] = encoded
		}
	}
	orPut := func(name string, v any) {
		if _, said := fields[name]; !said {
			put(name, v)
		}
	}
	orNull := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	put("id", j.ID)
	put("key", j.Key)
	put("comment", orNull(j.Comment))
	put("run_id", nil)
	if id, err := ParseID(j.RunID); err == nil {
		put("run_id", id.String())
	} else if span := judgement.Canonical(j.RunID); span != j.RunID {
		put("run_id", span)
	} else if j.RunID != "" {
		orPut("extra", map[string]string{"run_id": j.RunID}) // its readers take UUIDs alone
	}
	orPut("trace_id", nil)
	if j.Scored {
		orPut("score", j.Score)
	}
	orPut("score", nil)
	orPut("value", orNull(j.Value))
	orPut("correction", nil)
	orPut("feedback_source", map[string]any{"type": j.Source, "metadata": map[string]any{}})
	orPut("session_id", nil)
	put("created_at", j.Time.UTC().Format(time.RFC3339Nano))
	changed := j.Changed
	if changed.IsZero() {
		changed = j.Time
	}
	put("modified_at", changed.UTC().Format(time.RFC3339Nano))
	return fields
}

// changeable are the fields of a judgement that its maker may change.
var changeable = [...]string{"score", "value", "comment", "correction"}

// ChangeFeedback gives a judgement as the fields of a change leave it: those that are
// left out stay, null empties one, and others are passed over. Its run, key and maker
// stay the same. The error is a *FeedbackError.
func ChangeFeedback(j judgement.Judgement, change map[string]json.RawMessage) (judgement.Judgement, error) {
	fields := members(j.Told)
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	set := func(name string, v any, there bool) {
		if _, said := fields[name]; there && !said {
			fields[name], _ = json.Marshal(v) // numbers that are none were refused when it came
		}
	}
	set("key", j.Key, true)
	set("score", j.Score, j.Scored)
	set("value", j.Value, j.Value != "")
	set("comment", j.Comment, j.Comment != "")
	for _, name := range changeable {
		if v, said := change[name]; said {
			fields[name] = v
		}
	}
	next, err := FeedbackOf(fields)
	if err != nil {
		return j, err
	}
	was := j
	j.Scored, j.Score, j.Value, j.Comment = next.Scored, next.Score, next.Value, next.Comment
	// One that did not come in these words stays one that did not, so that it is told
	// to sinks as before, where they can say what it says.
	if was.Told != nil || told(fields["correction"]) || told(fields["score"]) && !next.Scored {
		j.Told = next.Told
	}
	return j, nil
}
