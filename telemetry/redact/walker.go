package redact

import (
	"encoding/binary"

	"treq/telemetry"
)

// mostDepth bounds the nesting that is followed; the doors let less in.
const mostDepth = 200

var errMalformed = telemetry.Errorf(telemetry.Invalid, "malformed OTLP")

// walker walks one request. It looks for suspicious places in the bytes as a whole,
// reads the structure only as far as it has to in order to know whose they are, and
// notes what is to be replaced.
type walker struct {
	r       *Redactor
	scanner scanner
	body    []byte
	next    int // the first suspicious place from where the walk is
	signs   signs
	depth   int
	inner   bool // in a part of a run that the application named the members of
	frames  []frame
	edits   []edit
	text    []byte // what is put in
	rest    []byte // of content that goes
}

// frame is a length-delimited field that is being walked.
type frame struct {
	lengthAt, from, to int // its length's varint, its content
	grown              int // by how much its content grows
	edit               int // the edit of its length, -1 as long as nothing in it changes
}

// edit replaces body[from:to] by text[start:end] of the walker.
type edit struct{ from, to, start, end int }

// request walks a whole export request and gives it with what was found replaced:
// body itself where nothing was.
func (w *walker) request(body []byte, m *message) ([]byte, error) {
	w.body, w.depth = body, 0
	w.frames, w.edits, w.text = w.frames[:0], w.edits[:0], w.text[:0]
	if !w.r.whole {
		w.signs = signsOf(body, 0)
	}
	w.look(0)
	out := body
	ok := true
	if w.r.whole || w.next < len(body) {
		w.frames = append(w.frames, frame{to: len(body), edit: 0}) // never gets a length
		ok = w.message(0, len(body), m)
	}
	if ok && len(w.edits) > 0 {
		out = w.assemble()
	}
	w.body, w.signs = nil, signs{}
	if cap(w.text) > 1<<20 {
		w.text, w.edits = nil, nil
	}
	if !ok {
		return nil, errMalformed
	}
	return out, nil
}

// look finds the next suspicious place from i on.
func (w *walker) look(i int) {
	if w.r.whole || i >= len(w.body) {
		w.next = i
		if !w.r.whole {
			w.next = len(w.body)
		}
		return
	}
	w.next = suspect(w.body, i, w.signs.next(i))
}

// message walks the fields of a message between from and to.
func (w *walker) message(from, to int, m *message) bool {
	for i := from; i < to && (w.r.whole || w.next < to); {
		start := i
		tag, n := binary.Uvarint(w.body[i:to])
		if n <= 0 {
			return false
		}
		i += n
		if tag&7 != 2 {
			if i = fixed(w.body[:to], i, tag&7); i < 0 {
				return false
			}
		} else {
			length, n := binary.Uvarint(w.body[i:to])
			if n <= 0 || length > uint64(to-i-n) {
				return false
			}
			end := i + n + int(length)
			if p, inner := m.at(tag >> 3); p != skipped && (w.r.whole || w.next < end) {
				if !w.field(start, i, i+n, end, p, inner, treatment{}) {
					return false
				}
			}
			i = end
		}
		if w.next < i {
			w.look(i)
		}
	}
	return true
}

// fixed passes a field that is not length-delimited; -1 if it is truncated or a group.
func fixed(b []byte, i int, wire uint64) int {
	switch wire {
	case 0:
		_, n := binary.Uvarint(b[i:])
		if n <= 0 {
			return -1
		}
		return i + n
	case 1:
		i += 8
	case 5:
		i += 4
	default:
		return -1
	}
	if i > len(b) {
		return -1
	}
	return i
}

// field walks a length-delimited field whose tag is at start.
func (w *walker) field(start, lengthAt, from, to int, p part, inner *message, how treatment) bool {
	if w.depth++; w.depth > mostDepth {
		return false
	}
	w.frames = append(w.frames, frame{lengthAt: lengthAt, from: from, to: to, edit: -1})
	ok, drop := true, false
	switch p {
	case nested:
		ok = w.message(from, to, inner)
	case text:
		w.leaf(from, to, how)
	case status:
		w.status(from, to)
	case keyValue:
		ok, drop = w.attribute(from, to, how)
	case anyValue:
		ok = w.value(from, to, how)
	case logContent:
		ok = w.value(from, to, treatment{bare: w.r.bare})
	}
	w.close()
	w.depth--
	if drop {
		w.r.dropped.Add(1)
		w.replace(start, to, nil)
	}
	return ok
}

// attribute walks a KeyValue; drop tells that it is to go.
func (w *walker) attribute(from, to int, outer treatment) (ok, drop bool) {
	var name []byte
	for i := from; i < to; {
		_, number, start, end, good := w.lengthDelimited(&i, to)
		if !good {
			return false, false
		}
		if number == 1 {
			name = w.body[start:end]
		}
	}
	how, skip, drop := w.r.treat(name, outer)
	if skip || drop {
		return true, drop
	}
	for i := from; i < to; {
		at := i
		lengthAt, number, start, end, good := w.lengthDelimited(&i, to)
		if !good {
			return false, false
		}
		if number == 2 && !w.field(at, lengthAt, start, end, anyValue, nil, how) {
			return false, false
		}
	}
	return true, false
}

// lengthDelimited reads the field at *i and moves *i behind it. number is 0 for one
// that is not length-delimited.
func (w *walker) lengthDelimited(i *int, to int) (lengthAt int, number uint64, start, end int, ok bool) {
	tag, n := binary.Uvarint(w.body[*i:to])
	if n <= 0 {
		return 0, 0, 0, 0, false
	}
	*i += n
	if tag&7 != 2 {
		*i = fixed(w.body[:to], *i, tag&7)
		return 0, 0, 0, 0, *i >= 0
	}
	lengthAt = *i
	length, n := binary.Uvarint(w.body[*i:to])
	if n <= 0 || length > uint64(to-*i-n) {
		return 0, 0, 0, 0, false
	}
	start = *i + n
	end = start + int(length)
	*i = end
	return lengthAt, tag >> 3, start, end, true
}

// value walks an AnyValue, and the arrays and maps in it.
func (w *walker) value(from, to int, how treatment) bool {
	for i := from; i < to; {
		at := i
		lengthAt, number, start, end, ok := w.lengthDelimited(&i, to)
		if !ok {
			return false
		}
		switch number {
		case 1, 7:
			if !w.field(at, lengthAt, start, end, text, nil, how) {
				return false
			}
		case 5, 6:
			element := anyValue
			if number == 6 {
				element = keyValue
			}
			w.frames = append(w.frames, frame{lengthAt: lengthAt, from: start, to: end, edit: -1})
			for k := start; k < end; {
				at := k
				lengthAt, number, start, to, ok := w.lengthDelimited(&k, end)
				if !ok || number == 1 && !w.field(at, lengthAt, start, to, element, nil, how) {
					return false
				}
			}
			w.close()
		}
	}
	return true
}

// leaf handles a text.
func (w *walker) leaf(from, to int, how treatment) {
	t := w.body[from:to]
	if how.field != "" {
		if len(t) > 0 && !masked(t, "FIELD") {
			start := len(w.text)
			w.text = w.r.appendNamed(w.text, "FIELD", t, how.field)
			w.r.dropped.Add(1)
			w.put(from, to, start)
		}
		return
	}
	if how.bare {
		w.bare(from, to, how.key)
		return
	}
	if !w.r.finds {
		return
	}
	for _, m := range w.scanner.scan(t) {
		start := len(w.text)
		if w.r.mode(m.kind) == Drop {
			w.text = w.r.appendMask(w.text, m.kind, nil, false)
			w.put(from, to, start)
			return
		}
		w.text = w.r.appendReplacement(w.text, t, m, how.person)
		w.put(from+m.from, from+m.to, start)
	}
}

// put replaces body[from:to] by what was appended to w.text from start on.
func (w *walker) put(from, to, start int) {
	w.open()
	w.edits = append(w.edits, edit{from, to, start, len(w.text)})
	w.frames[len(w.frames)-1].grown += len(w.text) - start - (to - from)
}

// replace is put for a replacement that is at hand.
func (w *walker) replace(from, to int, by []byte) {
	start := len(w.text)
	w.text = append(w.text, by...)
	w.put(from, to, start)
}

// open makes the edits of the lengths around what changes now, outer first, so that
// edits stay in the order of their places.
func (w *walker) open() {
	i := len(w.frames)
	for i > 0 && w.frames[i-1].edit < 0 {
		i--
	}
	for ; i < len(w.frames); i++ {
		f := &w.frames[i]
		f.edit = len(w.edits)
		w.edits = append(w.edits, edit{from: f.lengthAt, to: f.from})
	}
}

// close ends the innermost frame, whose length is known now.
func (w *walker) close() {
	last := len(w.frames) - 1
	f := w.frames[last]
	w.frames = w.frames[:last]
	if f.edit < 0 {
		return
	}
	e := &w.edits[f.edit]
	e.start = len(w.text)
	w.text = binary.AppendUvarint(w.text, uint64(f.to-f.from+f.grown))
	e.end = len(w.text)
	w.frames[last-1].grown += f.grown + (e.end - e.start) - (e.to - e.from)
}

// assemble writes the body with its edits into memory of its own.
func (w *walker) assemble() []byte {
	out := make([]byte, 0, len(w.body)+w.frames[0].grown)
	i := 0
	for k := range w.edits {
		e := &w.edits[k]
		out = append(append(out, w.body[i:e.from]...), w.text[e.start:e.end]...)
		i = e.to
	}
	return append(out, w.body[i:]...)
}
