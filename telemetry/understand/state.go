package understand

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	"treq/telemetry"
)

// stateVersion is the version of the encoding that WriteState gives.
const stateVersion = 3

// stateChunk is how much of a state is written at once.
const stateChunk = 64 << 10

// MarshalBinary gives in one piece what WriteState writes.
func (e *Engine) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	err := e.WriteState(&b)
	return b.Bytes(), err
}

// WriteState writes the engine's state: open fragments, what is remembered of closed
// ones, posted runs, judgements, entries and figures, but not the horizon. An engine
// whose UnmarshalBinary is given it goes on as this one would have. It is written piece
// by piece, since in one it is as large as all that is open. Errors are those of to.
func (e *Engine) WriteState(to io.Writer) error {
	w := &writer{texts: make(map[string]uint64), b: make([]byte, 0, stateChunk+stateChunk/8)}
	w.b = append(w.b, stateVersion)
	a := &e.assembly
	w.varint(a.now)
	w.uvarint(a.seq)
	w.stats(&a.stats)

	traces := make([]*trace, 0, a.traces.len())
	for t := range a.traces.all() {
		traces = append(traces, t)
	}
	slices.SortFunc(traces, func(x, y *trace) int { return cmp.Compare(x.seq, y.seq) })
	w.uvarint(uint64(len(traces)))
	for _, t := range traces {
		w.trace(t)
		if len(w.b) < stateChunk {
			continue
		}
		if _, err := to.Write(w.b); err != nil {
			return err
		}
		w.b = w.b[:0]
	}
	w.runs(&a.runs)
	w.entries(&a.entries)
	w.judgements(&e.feedback)
	_, err := to.Write(w.b)
	return err
}

// UnmarshalBinary puts the engine into the state that MarshalBinary gave. On an
// error, of kind Invalid, the engine is as it was.
func (e *Engine) UnmarshalBinary(data []byte) error {
	r := &decoder{b: data}
	version := r.byte()
	r.unanswered = version == stateVersion-1
	if version != stateVersion && !r.unanswered {
		return telemetry.Errorf(telemetry.Invalid, "state of open traces: not of version %d", stateVersion)
	}
	a := assembly{config: &e.config, rec: e.rec}
	a.settle.config = &e.config
	a.now = r.varint()
	a.seq = r.uvarint()
	r.stats(&a.stats)
	for range r.length(20) {
		r.trace(&a)
		if r.bad {
			break
		}
	}
	a.recall()
	r.runs(&a.runs)
	r.entries(&a.entries)
	var feedback judgements
	r.judgements(&feedback)
	if r.bad || len(r.b) > 0 {
		return telemetry.Errorf(telemetry.Invalid, "state of open traces: malformed")
	}
	e.assembly, e.feedback = a, feedback
	return nil
}

// recall rebuilds what follows from the traces: the queue of memories.
func (a *assembly) recall() {
	var remembering []*trace
	for t := range a.traces.all() {
		if len(t.kept) > 0 {
			remembering = append(remembering, t)
		}
	}
	slices.SortFunc(remembering, func(x, y *trace) int { return cmp.Compare(x.keptSeq, y.keptSeq) })
	for _, t := range remembering {
		a.memories.push(memory{t, t.keptSeq, t.until})
		a.remembered += len(t.kept)
	}
}
