package langsmith

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"treq/telemetry"
	"treq/telemetry/judgement"
	"treq/telemetry/semconv"
)

// The bounds of what a judgement holds, in characters, and of Told in bytes.
const (
	maxRun     = 256
	maxKey     = 128
	maxValue   = 4 << 10
	maxComment = 64 << 10
	maxTold    = 64 << 10
)

// notTold are the members of a judgement that have a place of their own.
var notTold = [...]string{"id", "run_id", "key", "comment"}

// FeedbackFault is what is wrong with one field of a judgement, in pydantic's terms,
// as callers of LangSmith's API know them.
type FeedbackFault struct {
	// Field is the field's name, "" for the judgement as a whole.
	Field string
	// Type is pydantic's name of the fault, Message its sentence, and Context the bound
	// that was passed, as JSON; nil where there is none.
	Type, Message string
	Context       json.RawMessage
}

// FeedbackError names everything that is wrong with a judgement. It is of kind
// Unprocessable.
type FeedbackError struct{ Faults []FeedbackFault }

// Error implements error.
func (e *FeedbackError) Error() string {
	said := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		said[i] = strings.TrimPrefix(f.Field+": "+f.Message, ": ")
	}
	return strings.Join(said, "; ")
}

// Unwrap gives the kind of the error.
func (e *FeedbackError) Unwrap() error {
	return &telemetry.Error{Kind: telemetry.Unprocessable, Message: e.Error()}
}

// ReadFeedback reads a judgement from its JSON object as the stream of runs has it: of a
// run with a UUID, and with an ID if it brings none. Time is when the client made it,
// zero if it does not say. The error, of kind Unprocessable or TooLarge, names what
// is wrong.
func ReadFeedback(object []byte) (judgement.Judgement, error) {
	if err := checkJSON(object); err != nil {
		return judgement.Judgement{}, err
	}
	j, err := FeedbackOf(members(object))
	if err != nil {
		return judgement.Judgement{}, err
	}
	run, err := ParseID(j.RunID)
	if err != nil {
		return judgement.Judgement{}, telemetry.Errorf(telemetry.Unprocessable, "run_id: %s", err)
	}
	if j.RunID = run.String(); j.ID == "" {
		j.ID = judgement.ID(j.RunID, j.Key, j.Source)
	}
	return j, nil
}

// FeedbackOf reads the fields of a judgement as LangSmith's API takes them. A score
// counts where it, or its feedback_config, puts it on 0..1; without one, a value of
// truth, or a word that says plainly good or bad, is one. As it came, and with
// further fields, it is kept in Told. One of a project, without a run, is of no run.
// ID is "" where none was told. The error is a *FeedbackError.
func FeedbackOf(fields map[string]json.RawMessage) (judgement.Judgement, error) {
	r := feedbackReader{fields: fields}
	j := judgement.Judgement{
		ID: r.uuid("id"), RunID: r.text("run_id", maxRun, false), Key: r.text("key", maxKey, true),
		Comment: r.text("comment", maxComment, false), Source: judgement.FromAPI,
	}
	if j.RunID == "" {
		j.RunID = r.text("trace_id", maxRun, false)
	}
	if at := moment(fields["created_at"]); at != 0 {
		j.Time = time.Unix(0, at).UTC()
	}
	j.Value = r.value()
	r.score(&j)
	var source struct {
		Type string `json:"type"`
	}
	if told(fields["feedback_source"]) && json.Unmarshal(fields["feedback_source"], &source) == nil && source.Type != "" {
		j.Source = cut(source.Type, maxKey)
	}
	j.Told = r.told()
	if r.faults != nil {
		return judgement.Judgement{}, &FeedbackError{r.faults}
	}
	return j, nil
}

// feedbackReader reads the fields of one judgement and gathers what is wrong.
type feedbackReader struct {
	fields map[string]json.RawMessage
	faults []FeedbackFault
}

func (r *feedbackReader) refuse(field, kind, message, context string) {
	f := FeedbackFault{Field: field, Type: kind, Message: message}
	if context != "" {
		f.Context = json.RawMessage(context)
	}
	r.faults = append(r.faults, f)
}

func (r *feedbackReader) text(name string, most int, required bool) string {
	raw, sent := r.fields[name]
	if !sent || !required && !told(raw) {
		if required {
			r.refuse(name, "missing", "Field required", "")
		}
		return ""
	}
	var text string
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		r.refuse(name, "string_type", "Input should be a valid string", "")
		return ""
	}
	if utf8.RuneCountInString(text) > most {
		limit := strconv.Itoa(most)
		r.refuse(name, "string_too_long", "String should have at most "+limit+" characters", `{"max_length":`+limit+`}`)
		return ""
	}
	if required && text == "" {
		r.refuse(name, "string_too_short", "String should have at least 1 character", `{"min_length":1}`)
	}
	return text
}

func (r *feedbackReader) uuid(name string) string {
	text := r.text(name, maxRun, false)
	if text == "" {
		return ""
	}
	id, err := ParseID(text)
	if err != nil || len(text) != 36 {
		r.refuse(name, "uuid_parsing", "Input should be a valid UUID", "")
	}
	return id.String()
}

// value gives what stands in place of a score as text: a string, else its JSON.
func (r *feedbackReader) value() string {
	raw := r.fields["value"]
	if !told(raw) {
		return ""
	}
	var compact bytes.Buffer
	if raw[0] != '"' && json.Compact(&compact, raw) == nil {
		raw = compact.Bytes()
	}
	return cut(textOf(raw), maxValue)
}

// score puts the score on the scale of 0..1.
func (r *feedbackReader) score(j *judgement.Judgement) {
	switch score, value := bytes.TrimSpace(r.fields["score"]), bytes.TrimSpace(r.fields["value"]); {
	case told(score):
		j.Score, j.Scored = r.number(score)
	case !told(value):
	case value[0] == 't' || value[0] == 'f':
		j.Score, j.Scored = r.number(value)
		return
	case value[0] == '"':
		j.Score, j.Scored = semconv.ScoreOfLabel([]byte(j.Value))
		return
	}
	var scale struct {
		Min *float64 `json:"min"`
		Max *float64 `json:"max"`
	}
	if c := r.fields["feedback_config"]; told(c) && json.Unmarshal(c, &scale) == nil &&
		scale.Min != nil && scale.Max != nil && *scale.Max > *scale.Min {
		j.Score = (j.Score - *scale.Min) / (*scale.Max - *scale.Min)
	}
	if !j.Scored || !(j.Score >= 0 && j.Score <= 1) {
		j.Score, j.Scored = 0, false
	}
}

// number reads a number, truth as 1 or 0, and text that is a number.
func (r *feedbackReader) number(raw json.RawMessage) (float64, bool) {
	switch string(raw) {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	text := textOf(raw)
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil || strings.ContainsAny(text, "xXpP_"):
		r.refuse("score", "float_parsing", "Input should be a valid number", "")
		return 0, false
	case math.IsNaN(n) || math.IsInf(n, 0):
		r.refuse("score", "finite_number", "Input should be a finite number", "")
		return 0, false
	}
	return n, true
}

// told gives the fields that have no place of their own as a JSON object, nil for
// none.
func (r *feedbackReader) told() json.RawMessage {
	rest := make(map[string]json.RawMessage, len(r.fields))
	for name, raw := range r.fields {
		if told(raw) {
			rest[name] = raw
		}
	}
	for _, name := range notTold {
		delete(rest, name)
	}
	if len(rest) == 0 {
		return nil
	}
	further, err := json.Marshal(rest)
	if err != nil || len(further) > maxTold {
		r.refuse("", "too_long", "The fields beside id, run_id, key and comment should have at most "+strconv.Itoa(maxTold)+" bytes", "")
		return nil
	}
	return further
}

// cut gives at most so many characters of a text.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(most, len(runes))])
}
