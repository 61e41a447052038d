package feedback

import (
	"encoding/json"

	"treq/telemetry/judgement"
	"treq/telemetry/semconv"
)

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
