package langsmith

import (
	"bytes"
	"encoding/json"
	"fmt"

	"treq/telemetry"
)

// maxOps bounds the operations of one request; SDKs send a hundred.
const maxOps = 10_000

// Read reads a body of the protocol: multipart where it begins with a boundary,
// else a JSON object of posts and patches as AppendPost and AppendPatch make them.
// Nothing of it is taken where a part is bad: the error, of kind Unprocessable,
// Invalid or TooLarge, names the part; AppendSound gives what can be taken all the
// same. What it gives aliases the body.
func Read(body []byte) (Request, error) { return read(body, checkJSON) }

// Reread is Read for a body that Read has taken before: it does not check again
// that all of it is JSON.
func Reread(body []byte) (Request, error) {
	return read(body, func([]byte) error { return nil })
}

func read(body []byte, check func(json []byte) error) (Request, error) {
	if bytes.HasPrefix(body, []byte("--")) {
		return readMultipart(body, check)
	}
	return readBatch(body, check)
}

// batch is the body of /runs/batch.
type batch struct {
	// ID is that of the only patch, where its object need not say it.
	ID    string            `json:"id"`
	Post  []json.RawMessage `json:"post"`
	Patch []json.RawMessage `json:"patch"`
}

func readBatch(body []byte, check func([]byte) error) (Request, error) {
	if err := check(body); err != nil {
		return Request{}, telemetry.Errorf(telemetry.KindOf(err), "error parsing the batch: %s", err)
	}
	b, id, err := splitBatch(body)
	if err != nil {
		return Request{}, err
	}
	r := Request{Ops: make([]Op, 0, len(b.Post)+len(b.Patch))}
	err = b.each(id, func(_ json.RawMessage, _ bool, op Op, err error) error {
		r.Ops = append(r.Ops, op)
		return err
	})
	if err != nil {
		return Request{}, err
	}
	return r, nil
}

// splitBatch gives the objects of a batch, and the id of its only patch where it
// stands beside it.
func splitBatch(body []byte) (b batch, id ID, err error) {
	if err := json.Unmarshal(body, &b); err != nil {
		return b, id, telemetry.Errorf(telemetry.Unprocessable, "error parsing the batch: %s", reason(err))
	}
	if len(b.Post)+len(b.Patch) > maxOps {
		return b, id, telemetry.Errorf(telemetry.TooLarge, "a request may have %d runs", maxOps)
	}
	if b.ID != "" {
		if id, err = ParseID(b.ID); err != nil || len(b.Patch) != 1 || len(b.Post) > 0 {
			return b, id, telemetry.Errorf(telemetry.Unprocessable, "error parsing the batch: an id in it names no run")
		}
	}
	return b, id, nil
}

// each tells every object of a batch, the operation that it is, or why it is none.
func (b *batch) each(id ID, visit func(object json.RawMessage, patch bool, op Op, err error) error) error {
	for i, object := range b.Post {
		op, err := operation(fmt.Sprintf("post %d", i), false, ID{}, object)
		if err := visit(object, false, op, err); err != nil {
			return err
		}
	}
	for i, object := range b.Patch {
		op, err := operation(fmt.Sprintf("patch %d", i), true, id, object)
		if err := visit(object, true, op, err); err != nil {
			return err
		}
	}
	return nil
}

// AppendPost appends a body for Read that holds the object of POST /runs.
func AppendPost(dst, object []byte) []byte {
	dst = append(dst, `{"post":[`...)
	return append(append(dst, object...), `]}`...)
}

// AppendPatch appends a body for Read that holds the object of PATCH /runs/{id}.
func AppendPatch(dst []byte, id ID, object []byte) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, id.String()...)
	dst = append(dst, `","patch":[`...)
	return append(append(dst, object...), `]}`...)
}
