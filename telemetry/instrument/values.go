package instrument

import (
	"strings"
	"unicode/utf8"
)

// maxValueBytes bounds the length of every attribute value (docs/semantics.md, section 5).
const maxValueBytes = 128

// The ids of values that every attribute has.
const (
	absent  uint16 = 0 // the attribute is left out
	otherID uint16 = 1
	firstID uint16 = 2
)

// values are the values admitted for one attribute, each with an id, so that a
// series is found by a few small numbers instead of by strings.
type values struct {
	attr  string
	limit int
	ids   map[string]uint16
	names []string // by id

	// latest has values that were asked for of late, by a few of their bytes: an
	// event's values are those of the event before it, or of few others.
	latest [8]struct {
		raw string
		id  uint16
	}
}

func newValues(attr string, limit int) *values {
	return &values{
		attr: attr, limit: limit,
		ids:   map[string]uint16{"": absent, Other: otherID},
		names: []string{"", Other},
	}
}

// newEnum makes an attribute whose values are fixed by code, with ids from firstID on in the order given.
func newEnum(attr string, names ...string) *values {
	v := newValues(attr, len(names))
	for _, name := range names {
		v.admit(name)
	}
	return v
}

// id gives the id of a value, admitting it while there is room; folded tells
// that there was none and the id is otherID. It allocates only to admit.
func (v *values) id(raw string) (id uint16, folded bool) {
	if raw == "" {
		return absent, false
	}
	n := len(raw)
	at := &v.latest[(n+int(raw[n/2])+int(raw[n-1]))%len(v.latest)]
	if at.raw == raw {
		return at.id, false
	}
	if id, ok := v.ids[raw]; ok {
		at.raw, at.id = v.names[id], id
		return id, false
	}
	text := clean(raw)
	if id, ok := v.ids[text]; ok {
		return id, false
	}
	if len(v.names)-int(firstID) >= v.limit {
		return otherID, true
	}
	return v.admit(text), false
}

// admit clones the text, which may be a part of a large buffer.
func (v *values) admit(text string) uint16 {
	if id, ok := v.ids[text]; ok {
		return id
	}
	text = strings.Clone(text)
	id := uint16(len(v.names))
	v.names = append(v.names, text)
	v.ids[text] = id
	return id
}

// clean trims a value, replaces bytes that are not UTF-8 and cuts it to
// maxValueBytes at the border of a character.
func clean(text string) string {
	if len(text) > 2*maxValueBytes {
		// Leading space may be longer than the limit; what follows the first
		// printable bytes cannot matter.
		text = strings.TrimLeft(text, " \t\r\n")
		text = text[:min(len(text), 2*maxValueBytes)]
	}
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if len(text) <= maxValueBytes {
		return text
	}
	end := maxValueBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRight(text[:end], " ")
}
