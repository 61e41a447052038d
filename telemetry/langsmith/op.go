package langsmith

import (
	"encoding/json"
	"fmt"

	"treq/telemetry"
	"treq/telemetry/judgement"
)

// Op is what one request says of one run. Its bytes alias the request's body or
// are its own; whoever keeps them longer than the body copies.
type Op struct {
	ID ID
	// Patch tells a change of a run from its beginning.
	Patch bool
	main  fields
	// The fields that come in parts of their own, each JSON, nil where not told.
	inputs, outputs, events, extra, failure, serialized []byte
	attachments                                         []Attachment
}

// Attachment is a file that came with a run. What is in it stays in the request.
type Attachment struct {
	Name, Type string
	Bytes      int
}

// Request is what one body of the protocol says, in its order.
type Request struct {
	Ops []Op
	// Feedback are judgements that came in the same body.
	Feedback []judgement.Judgement
}

// Items is the number of operations and judgements.
func (r *Request) Items() int { return len(r.Ops) + len(r.Feedback) }

// fields are those of a run's object that matter here.
type fields struct {
	ID         string          `json:"id"`
	TraceID    string          `json:"trace_id"`
	ParentID   string          `json:"parent_run_id"`
	Order      string          `json:"dotted_order"`
	Name       string          `json:"name"`
	Type       string          `json:"run_type"`
	Start      json.RawMessage `json:"start_time"`
	End        json.RawMessage `json:"end_time"`
	Project    string          `json:"session_name"`
	ProjectID  string          `json:"session_id"`
	Tags       json.RawMessage `json:"tags"`
	Example    string          `json:"reference_example_id"`
	Inputs     json.RawMessage `json:"inputs"`
	Outputs    json.RawMessage `json:"outputs"`
	Events     json.RawMessage `json:"events"`
	Extra      json.RawMessage `json:"extra"`
	Failure    json.RawMessage `json:"error"`
	Serialized json.RawMessage `json:"serialized"`
}

// operation reads a run's object. part names it in an error; id is the run's where
// the object need not say it, zero where it must.
func operation(part string, patch bool, id ID, object []byte) (Op, error) {
	op := Op{Patch: patch}
	if err := json.Unmarshal(object, &op.main); err != nil {
		return Op{}, telemetry.Errorf(telemetry.Unprocessable, "error parsing run for %s: %s", part, reason(err))
	}
	if id == (ID{}) && op.main.ID == "" {
		return Op{}, telemetry.Errorf(telemetry.Unprocessable, "error parsing run for %s: it has no id", part)
	}
	op.ID = id
	for _, one := range []struct {
		name, text string
	}{{"id", op.main.ID}, {"trace_id", op.main.TraceID}, {"parent_run_id", op.main.ParentID}} {
		if one.text == "" {
			continue
		}
		read, err := ParseID(one.text)
		if err != nil {
			return Op{}, within(part, fmt.Errorf("%s: %w", one.name, err))
		}
		if one.name == "id" {
			if id != (ID{}) && read != id {
				return Op{}, telemetry.Errorf(telemetry.Unprocessable, "error parsing run for %s: it has the id of another run, %s", part, read)
			}
			op.ID = read
		}
	}
	m := &op.main
	op.inputs, op.outputs, op.events, op.extra, op.failure, op.serialized = m.Inputs, m.Outputs, m.Events, m.Extra, m.Failure, m.Serialized
	return op, nil
}

// within says in which part of a request a fault is.
func within(part string, err error) error {
	kind := telemetry.KindOf(err)
	if kind == telemetry.Internal {
		kind = telemetry.Unprocessable
	}
	return telemetry.Errorf(kind, "error parsing run for %s: %s", part, err)
}

// reason gives a decoding error in words that hold nothing of the content.
func reason(err error) string {
	if e, ok := err.(*json.UnmarshalTypeError); ok {
		return fmt.Sprintf("its %s may not be a JSON %s", e.Field, e.Value)
	}
	return "it is no JSON object"
}

// field gives the place of a field that comes in a part of its own, nil for a name
// that is none.
func (op *Op) field(name string) *[]byte {
	switch name {
	case "inputs":
		return &op.inputs
	case "outputs":
		return &op.outputs
	case "events":
		return &op.events
	case "extra":
		return &op.extra
	case "error":
		return &op.failure
	case "serialized":
		return &op.serialized
	}
	return nil
}
