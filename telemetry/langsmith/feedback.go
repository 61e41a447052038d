package langsmith

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"treq/telemetry"
	"treq/telemetry/judgement"
)

// The bounds of what a judgement holds, in bytes.
const (
	maxKey     = 128
	maxValue   = 4 << 10
	maxComment = 16 << 10
	maxTold    = 64 << 10
)

// notTold are the members of a judgement that have a place of their own.
var notTold = [...]string{"id", "run_id", "key", "score", "comment"}

// ReadFeedback reads the object of a judgement as LangSmith's /feedback takes it.
// The error, of kind Unprocessable or TooLarge, names the field that is wrong. Time
// is when the client made it, zero if it does not say.
func ReadFeedback(object []byte) (j judgement.Judgement, err error) {
	if err := checkJSON(object); err != nil {
		return j, err
	}
	var o struct {
		ID      string          `json:"id"`
		Run     string          `json:"run_id"`
		Trace   string          `json:"trace_id"`
		Key     string          `json:"key"`
		Score   json.RawMessage `json:"score"`
		Value   json.RawMessage `json:"value"`
		Comment json.RawMessage `json:"comment"`
		Created json.RawMessage `json:"created_at"`
		Source  struct {
			Type string `json:"type"`
		} `json:"feedback_source"`
	}
	if err := json.Unmarshal(object, &o); err != nil {
		return j, telemetry.Errorf(telemetry.Unprocessable, "%s", reason(err))
	}
	if o.Run == "" {
		o.Run = o.Trace
	}
	for _, one := range []struct {
		name, text string
		into       *string
	}{{"id", o.ID, &j.ID}, {"run_id", o.Run, &j.RunID}} {
		if one.text == "" && one.name == "id" {
			continue
		}
		id, err := ParseID(one.text)
		if err != nil {
			return j, telemetry.Errorf(telemetry.Unprocessable, "%s: %s", one.name, err)
		}
		*one.into = id.String()
	}
	if j.Key = o.Key; j.Key == "" || len(j.Key) > maxKey {
		return j, telemetry.Errorf(telemetry.Unprocessable, "key has 1 to %d bytes", maxKey)
	}
	if j.Source = cut(o.Source.Type, maxKey); j.Source == "" {
		j.Source = judgement.FromAPI
	}
	if j.ID == "" {
		j.ID = judgement.ID(j.RunID, j.Key, j.Source)
	}
	j.Comment = cut(textOf(o.Comment), maxComment)
	j.Value = cut(textOf(o.Value), maxValue)
	j.Score, j.Scored = score(o.Score)
	if at := moment(o.Created); at != 0 {
		j.Time = time.Unix(0, at).UTC()
	}
	others := members(object)
	maps.DeleteFunc(others, func(_ string, v json.RawMessage) bool { return !told(v) })
	for _, name := range notTold {
		delete(others, name)
	}
	if further, err := json.Marshal(others); err == nil && len(others) > 0 && len(further) <= maxTold {
		j.Told = further
	}
	return j, nil
}

// score gives a judgement's number; truth values are 1 and 0.
func score(b []byte) (float64, bool) {
	var v any
	if !told(b) || json.Unmarshal(b, &v) != nil {
		return 0, false
	}
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		return v, true
	}
	return 0, false
}

// cut gives text of at most so many bytes that is valid UTF-8.
func cut(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
