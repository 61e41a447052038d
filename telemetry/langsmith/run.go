package langsmith

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Run is what operations have said of one run so far. The zero Run is one of which
// nothing is known. It owns its bytes. Not safe for concurrent use.
type Run struct {
	ID, Trace, Parent ID
	// Posted tells that its beginning was told, not only a change of it.
	Posted                     bool
	Name, Type, Project, Order string
	ProjectID, Example         string
	Start, End                 int64 // Unix nanoseconds, 0 if not told

	// patched holds a bit for each field that a change has set: what the beginning
	// says of it is older, even if it comes later.
	patched uint32

	inputs, outputs, events, extra, failure, serialized, tags []byte // JSON, nil if not told
	attachments                                               int
}

// The bits of Run.patched.
const (
	bitName = 1 << iota
	bitType
	bitProject
	bitProjectID
	bitExample
	bitStart
	bitEnd
	bitInputs
	bitOutputs
	bitEvents
	bitExtra
	bitFailure
	bitSerialized
	bitTags
	bitOrder
	bitTrace
	bitParent
)

// Merge takes in what an operation says. Operations come in any order: of a field
// that both tell, a change goes before the beginning, and a later change before an
// earlier one; null says nothing. The op is not kept.
func (r *Run) Merge(op *Op) {
	r.ID = op.ID
	m := mergence{r, op.Patch}
	m.place(&op.main)
	m.text(bitName, &r.Name, op.main.Name)
	m.text(bitType, &r.Type, op.main.Type)
	m.text(bitProject, &r.Project, op.main.Project)
	m.text(bitProjectID, &r.ProjectID, op.main.ProjectID)
	m.text(bitExample, &r.Example, op.main.Example)
	m.time(bitStart, &r.Start, moment(op.main.Start))
	m.time(bitEnd, &r.End, moment(op.main.End))
	m.json(bitInputs, &r.inputs, op.inputs)
	m.json(bitOutputs, &r.outputs, op.outputs)
	m.json(bitEvents, &r.events, op.events)
	m.extra(op.extra)
	m.json(bitFailure, &r.failure, op.failure)
	m.json(bitSerialized, &r.serialized, op.serialized)
	m.json(bitTags, &r.tags, op.main.Tags)
	r.attachments += len(op.attachments)
	r.Posted = r.Posted || !op.Patch
}

// Ended tells whether the run's end was told. A run that was only changed so far
// may have ended too; Posted tells whether there is more to wait for.
func (r *Run) Ended() bool { return r.End != 0 }

// Size is about how many bytes the run takes.
func (r *Run) Size() int {
	return 400 + len(r.Name) + len(r.Type) + len(r.Project) + len(r.Order) + len(r.ProjectID) + len(r.Example) +
		len(r.inputs) + len(r.outputs) + len(r.events) + len(r.extra) + len(r.failure) + len(r.serialized) + len(r.tags)
}

// mergence is one operation being taken in.
type mergence struct {
	*Run
	patch bool
}

// takes tells whether a field that has a value or not is to be set by this operation.
func (m mergence) takes(bit uint32, empty bool) bool {
	if m.patch {
		m.patched |= bit
		return true
	}
	return empty || m.patched&bit == 0
}

func (m mergence) text(bit uint32, into *string, v string) {
	if v != "" && m.takes(bit, *into == "") {
		*into = strings.ToValidUTF8(v, "\uFFFD")
	}
}

func (m mergence) time(bit uint32, into *int64, v int64) {
	if v != 0 && m.takes(bit, *into == 0) {
		*into = v
	}
}

// json sets a field; an empty object does not take the place of one that is not,
// since SDKs begin runs with outputs of {} and end them with inputs of {}.
func (m mergence) json(bit uint32, into *[]byte, v []byte) {
	if !told(v) || hollow(v) && len(*into) > 0 {
		return
	}
	if m.takes(bit, hollow(*into)) {
		*into = bytes.Clone(v)
	}
}

// place finds where in its trace a run is: in the words of the operation, else in
// its dotted order. A root is a trace of its own.
func (m mergence) place(f *fields) {
	o := readOrder(f.Order)
	if o.self != m.ID {
		o = order{}
	}
	trace, _ := ParseID(f.TraceID)
	parent, _ := ParseID(f.ParentID)
	if trace == (ID{}) {
		trace = o.root
	}
	if parent == (ID{}) {
		parent = o.parent
	}
	if f.Order != "" && o.self == m.ID && m.takes(bitOrder, m.Order == "") {
		m.Order = f.Order
	}
	if trace != (ID{}) && m.takes(bitTrace, m.Trace == ID{}) {
		m.Trace = trace
	}
	if parent != (ID{}) && parent != m.ID && m.takes(bitParent, m.Parent == ID{}) {
		m.Parent = parent
	}
	if m.Start == 0 {
		m.Start = o.start
	}
}

// extra joins what two operations tell besides: a change of the metadata need not
// repeat all of it.
func (m mergence) extra(v []byte) {
	if !told(v) {
		return
	}
	if hollow(m.Run.extra) || bytes.Equal(m.Run.extra, v) {
		m.json(bitExtra, &m.Run.extra, v)
		return
	}
	older, newer := members(m.Run.extra), members(v)
	if !m.takes(bitExtra, false) {
		older, newer = newer, older
	}
	if older == nil || newer == nil {
		if newer != nil {
			m.Run.extra = bytes.Clone(v)
		}
		return
	}
	for name, value := range newer {
		if inner, outer := members(value), members(older[name]); inner != nil && outer != nil {
			for k, v := range inner {
				outer[k] = v
			}
			if joined, err := json.Marshal(outer); err == nil {
				value = joined
			}
		}
		if told(value) {
			older[name] = value
		}
	}
	if joined, err := json.Marshal(older); err == nil {
		m.Run.extra = joined
	}
}
