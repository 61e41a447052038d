package feedback

import (
	"bytes"
	"encoding/json"

	"treq/server/fault"
	"treq/telemetry/judgement"
	"treq/telemetry/semconv"
)

// scaled puts LangSmith's score on the scale of 0..1: by the range that its
// configuration tells, else as it is. Without a score, a value of truth or a word
// that says plainly good or bad is one.
func (r *reader) scaled(j *judgement.Judgement) {
	if r.form.has("score") {
		j.Score, j.Scored = r.number("score", false)
	} else if r.form.has("value") {
		switch raw := r.form.Fields["value"].Raw; raw[0] {
		case 't', 'f':
			j.Score, j.Scored = r.number("value", false)
		case '"':
			j.Score, j.Scored = semconv.ScoreOfLabel([]byte(j.Value))
		}
		return
	}
	var scale struct {
		Min *float64 `json:"min"`
		Max *float64 `json:"max"`
	}
	if r.form.has("feedback_config") && json.Unmarshal(r.form.Fields["feedback_config"].Raw, &scale) == nil &&
		scale.Min != nil && scale.Max != nil && *scale.Max > *scale.Min {
		j.Score = (j.Score - *scale.Min) / (*scale.Max - *scale.Min)
	}
	if !(j.Score >= 0 && j.Score <= 1) {
		j.Score, j.Scored = 0, false
	}
}

// valued reads a value that stands in place of a score: a truth value or a number
// of 0..1 is one; of words, those that say plainly good or bad.
func (r *reader) valued(j *judgement.Judgement) {
	raw := r.form.Fields["value"].Raw
	var word string
	if json.Unmarshal(raw, &word) == nil {
		j.Value = cut(word, mostValue)
		j.Score, j.Scored = semconv.ScoreOfLabel([]byte(word))
		if word == "" {
			r.missing("value")
		}
		return
	}
	switch raw[0] {
	case '{', '[':
		j.Value = r.value("value")
	default:
		j.Score, j.Scored = r.number("value", true)
	}
}

// ReadLangSmith reads a judgement in LangSmith's form from its JSON object, for
// doors to which it comes among other things. The error is a *fault.Validation.
func ReadLangSmith(object []byte) (judgement.Judgement, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimSpace(object), &fields); err != nil || fields == nil {
		return judgement.Judgement{}, &fault.Validation{Detail: []fault.FieldError{{
			Type: "model_attributes_type", Loc: []any{"body"}, Input: json.RawMessage("null"),
			Msg: "Input should be a valid dictionary or object to extract fields from",
		}}}
	}
	f := Form{Fields: make(map[string]Field, len(fields)), Missing: "body", Whole: object}
	for name, raw := range fields {
		f.Fields[name] = Field{Raw: raw, In: "body"}
	}
	return f.LangSmith()
}
