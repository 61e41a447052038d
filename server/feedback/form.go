package feedback

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"treq/server/fault"
	"treq/telemetry/judgement"
	"treq/telemetry/langsmith"
)

// The bounds of what a judgement may hold, in characters.
const (
	mostRun     = 256
	mostName    = 128
	mostValue   = 4 << 10
	mostComment = 16 << 10
)

// Field is a parameter as it was sent: as JSON, text of a query or form as a JSON
// string. In is where it stood, "query" or "body".
type Field struct {
	Raw json.RawMessage
	In  string
}

// Form are the parameters of one judgement.
type Form struct {
	Fields map[string]Field
	// Missing is where a parameter that is missing is said to be missing, and Whole
	// the JSON body that FastAPI shows for it; nil where there was none.
	Missing string
	Whole   json.RawMessage
}

func (f Form) has(names ...string) bool {
	for _, name := range names {
		if v, ok := f.Fields[name]; ok && string(v.Raw) != "null" {
			return true
		}
	}
	return false
}

// Any reads a judgement in whichever form it came: the existing front end's
// (message_id, feedback_type, comment, timestamp) or LangSmith's (run_id, key, …).
// The error is a *fault.Validation that names everything that is wrong.
func (f Form) Any() (judgement.Judgement, error) {
	if !f.has("message_id", "feedback_type") && f.has("run_id", "trace_id", "key", "session_id") {
		return f.LangSmith()
	}
	return f.FrontEnd()
}

// FrontEnd reads the existing front end's form. A thumb without message_id is one
// of no run.
func (f Form) FrontEnd() (judgement.Judgement, error) {
	r := reader{form: f}
	j := judgement.Judgement{RunID: r.text("message_id", mostRun, false), Source: judgement.FromAPI, Scored: true}
	switch r.text("feedback_type", mostName, true) {
	case "positive":
		j.Score = 1
	case "negative":
	default:
		r.literal("feedback_type", "positive", "negative")
	}
	j.Comment = r.text("comment", mostComment, false)
	j.Time = r.time("timestamp")
	return j, r.err()
}

// Own reads the form of POST /monitoring/feedback: docs/api.md, section 2. The
// score lies in 0..1.
func (f Form) Own() (judgement.Judgement, error) {
	r := reader{form: f}
	j := judgement.Judgement{
		RunID: r.text("run_id", mostRun, true), Key: r.text("key", mostName, false),
		Source: r.text("source", mostName, false), Comment: r.text("comment", mostComment, false),
		Service: r.text("service", mostName, false),
	}
	switch {
	case f.has("score"):
		j.Score, j.Scored = r.number("score", true)
	case f.has("thumb"):
		switch r.text("thumb", mostName, false) {
		case "up":
			j.Score, j.Scored = 1, true
		case "down":
			j.Scored = true
		default:
			r.literal("thumb", "up", "down")
		}
	case f.has("value"):
		r.valued(&j)
	default:
		r.missing("score")
	}
	if f.has("value") && j.Value == "" && (f.has("score") || f.has("thumb")) {
		j.Value = r.value("value")
	}
	return j, r.err()
}

// LangSmith reads LangSmith's form, which its clients send: [langsmith.FeedbackOf].
func (f Form) LangSmith() (judgement.Judgement, error) {
	fields := make(map[string]json.RawMessage, len(f.Fields))
	for name, v := range f.Fields {
		if v.In == "body" || slices.Contains(inQuery, name) {
			fields[name] = v.Raw
		}
	}
	j, err := langsmith.FeedbackOf(fields)
	if bad, ok := errors.AsType[*langsmith.FeedbackError](err); ok {
		return judgement.Judgement{}, f.validation(bad)
	}
	return j, err
}

// inQuery are the fields of LangSmith's form that are taken from the address too; others
// that stand there are no part of it.
var inQuery = []string{"id", "run_id", "trace_id", "key", "score", "value", "comment"}

// Change gives a judgement as LangSmith's form of a change leaves it. The error is a
// *fault.Validation.
func (f Form) Change(j judgement.Judgement) (judgement.Judgement, error) {
	fields := make(map[string]json.RawMessage, len(f.Fields))
	for name, v := range f.Fields {
		fields[name] = v.Raw
	}
	next, err := langsmith.ChangeFeedback(j, fields)
	if bad, ok := errors.AsType[*langsmith.FeedbackError](err); ok {
		return j, f.validation(bad)
	}
	return next, err
}

// validation says in FastAPI's shape what is wrong.
func (f Form) validation(bad *langsmith.FeedbackError) error {
	v := &fault.Validation{}
	for _, b := range bad.Faults {
		e := fault.FieldError{Type: b.Type, Loc: []any{f.Missing, b.Field}, Msg: b.Message, Input: f.Whole, Ctx: b.Context}
		if sent, ok := f.Fields[b.Field]; ok {
			e.Loc[0], e.Input = sent.In, sent.Raw
		}
		if b.Field == "" {
			e.Loc = e.Loc[:1]
		}
		if e.Input == nil {
			e.Input = json.RawMessage("null")
		}
		v.Detail = append(v.Detail, e)
	}
	return v
}

// reader reads the parameters of one form and gathers what is wrong.
type reader struct {
	form Form
	bad  []fault.FieldError
}

func (r *reader) err() error {
	if r.bad == nil {
		return nil
	}
	return &fault.Validation{Detail: r.bad}
}

func (r *reader) refuse(name string, e fault.FieldError) {
	f := r.form.Fields[name]
	e.Loc, e.Input = []any{f.In, name}, f.Raw
	r.bad = append(r.bad, e)
}

func (r *reader) missing(name string) {
	e := fault.FieldError{Type: "missing", Loc: []any{r.form.Missing, name}, Msg: "Field required", Input: r.form.Whole}
	if e.Input == nil {
		e.Input = json.RawMessage("null")
	}
	r.bad = append(r.bad, e)
}

// literal refuses a text that was to be one of some, once.
func (r *reader) literal(name string, allowed ...string) {
	for _, e := range r.bad {
		if e.Loc[1] == name {
			return
		}
	}
	expected := "'" + strings.Join(allowed, "' or '") + "'"
	context, err := json.Marshal(map[string]string{"expected": expected})
	if err != nil {
		context = nil
	}
	r.refuse(name, fault.FieldError{Type: "literal_error", Msg: "Input should be " + expected, Ctx: context})
}

func (r *reader) text(name string, most int, required bool) string {
	f, sent := r.form.Fields[name]
	if !sent || !required && string(f.Raw) == "null" {
		if required {
			r.missing(name)
		}
		return ""
	}
	var text string
	if len(f.Raw) == 0 || f.Raw[0] != '"' || json.Unmarshal(f.Raw, &text) != nil {
		r.refuse(name, fault.FieldError{Type: "string_type", Msg: "Input should be a valid string"})
		return ""
	}
	if utf8.RuneCountInString(text) > most {
		limit := strconv.Itoa(most)
		r.refuse(name, fault.FieldError{
			Type: "string_too_long", Msg: "String should have at most " + limit + " characters",
			Ctx: json.RawMessage(`{"max_length":` + limit + `}`),
		})
		return ""
	}
	if required && text == "" {
		r.refuse(name, fault.FieldError{
			Type: "string_too_short", Msg: "String should have at least 1 character", Ctx: json.RawMessage(`{"min_length":1}`),
		})
	}
	return text
}

// number reads a number, truth as 1 or 0, and text that is a number.
func (r *reader) number(name string, ratio bool) (float64, bool) {
	raw := r.form.Fields[name].Raw
	n, fits := 0.0, true
	switch {
	case string(raw) == "true":
		n = 1
	case string(raw) == "false":
	default:
		text := string(raw)
		if len(raw) > 0 && raw[0] == '"' {
			fits = json.Unmarshal(raw, &text) == nil && !strings.ContainsAny(text, "xXpP_")
		}
		var err error
		if n, err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil || !fits {
			r.refuse(name, fault.FieldError{Type: "float_parsing", Msg: "Input should be a valid number"})
			return 0, false
		}
	}
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		r.refuse(name, fault.FieldError{Type: "finite_number", Msg: "Input should be a finite number"})
		return 0, false
	case ratio && n < 0:
		r.refuse(name, fault.FieldError{
			Type: "greater_than_equal", Msg: "Input should be greater than or equal to 0", Ctx: json.RawMessage(`{"ge":0.0}`),
		})
		return 0, false
	case ratio && n > 1:
		r.refuse(name, fault.FieldError{
			Type: "less_than_equal", Msg: "Input should be less than or equal to 1", Ctx: json.RawMessage(`{"le":1.0}`),
		})
		return 0, false
	}
	return n, true
}

// value gives what stands in place of a score as text: a string, else its JSON.
func (r *reader) value(name string) string {
	f := r.form.Fields[name]
	if len(f.Raw) == 0 || string(f.Raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(f.Raw, &text) != nil {
		var compact bytes.Buffer
		if json.Compact(&compact, f.Raw) != nil {
			return ""
		}
		text = compact.String()
	}
	return cut(text, mostValue)
}

// time reads an instant as JavaScript and Python write it, the zero time for any
// other text: when a thumb was raised is no reason to refuse it.
func (r *reader) time(name string) time.Time {
	var text string
	if f := r.form.Fields[name]; len(f.Raw) == 0 || json.Unmarshal(f.Raw, &text) != nil {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1970 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// cut gives at most so many characters of a text.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(most, len(runes))])
}
