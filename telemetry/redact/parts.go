package redact

import (
	"bytes"
	"slices"
	"strconv"
)

// parts walks the parts of a multipart body, whose first line is its boundary.
func (w *walker) parts() {
	t := w.body
	eol := []byte("\r\n")
	line, _, ok := bytes.Cut(t, eol)
	if !ok {
		return
	}
	delimiter := append(slices.Clone(eol), line...)
	for i := len(line) + len(eol); i < len(t); {
		n := bytes.Index(t[i:], delimiter)
		if n < 0 {
			return
		}
		end := i + n
		if h := bytes.Index(t[i:end], []byte("\r\n\r\n")); h >= 0 {
			w.part(i, i+h, i+h+4, end)
		}
		i = end + len(delimiter)
		if !bytes.HasPrefix(t[i:], eol) {
			return
		}
		i += len(eol)
	}
}

// part walks the part whose headers and content stand at these places.
func (w *walker) part(from, headers, content, end int) {
	header := w.body[from:headers]
	first, grown := len(w.edits), w.frames[0].grown
	name := partName(header)
	switch op, rest, _ := bytes.Cut(name, []byte(".")); string(op) {
	case "attachment":
		switch {
		case w.r.bare && end > content:
			w.r.dropped.Add(1)
			w.replace(content, end, nil)
		case bytes.Contains(header, []byte("text/")) || bytes.Contains(header, []byte("json")):
			w.leaf(content, end, treatment{})
		}
	default:
		_, field, _ := bytes.Cut(rest, []byte("."))
		w.members(content, end, field)
	}
	if change := w.frames[0].grown - grown; change != 0 {
		w.lengths(from, headers, first, end-content+change)
	}
}

// lengths puts the new length of a part into its headers, before the edits from first on.
func (w *walker) lengths(from, to, first, length int) {
	for _, before := range []string{"length=", "Content-Length: ", "content-length: "} {
		at := bytes.Index(w.body[from:to], []byte(before))
		if at < 0 {
			continue
		}
		at += from + len(before)
		end := at
		for end < to && isDigit(w.body[end]) {
			end++
		}
		start := len(w.text)
		w.text = strconv.AppendInt(w.text, int64(length), 10)
		e := edit{at, end, start, len(w.text)}
		w.frames[0].grown += e.end - e.start - (e.to - e.from)
		k := first
		for k < len(w.edits) && w.edits[k].from < e.from {
			k++
		}
		w.edits = slices.Insert(w.edits, k, e)
	}
}

// partName gives the name that a part's Content-Disposition tells.
func partName(header []byte) []byte {
	_, rest, ok := bytes.Cut(header, []byte(` name="`))
	if !ok {
		_, rest, _ = bytes.Cut(header, []byte(` name=`))
		name, _, _ := bytes.Cut(rest, []byte("\r\n"))
		name, _, _ = bytes.Cut(name, []byte(";"))
		return name
	}
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	return name
}
