package langsmith

import (
	"bytes"
	"encoding/json"
)

// contentFields are the fields of a run's object that hold what people and models
// wrote; all others place it, time it or name it.
var contentFields = map[string]bool{
	"inputs": true, "outputs": true, "events": true, "extra": true, "error": true, "serialized": true, "tags": true,
	"comment": true, "value": true, "correction": true, "manifest": true,
}

// Erase overwrites, in place and keeping every length, what a request says of some
// runs: the texts of their content, and their attachments. Numbers and the names of
// fields stay. erased tells of a run and its trace (zero where it does not say)
// whether it is one of them. It tells whether anything changed; a body that does not
// read is left as it is.
func Erase(body []byte, erased func(run, trace ID) bool) (changed bool) {
	if !bytes.HasPrefix(body, []byte("--")) {
		eachObject(body, func(object []byte) {
			if erased(placeOf(object)) {
				changed = eraseFields(object) || changed
			}
		})
		return changed
	}
	ours := map[string]bool{}
	each := func(see func(id []byte, field bool, p part)) {
		_ = eachPart(body, func(p part) error {
			_, rest, _ := bytes.Cut([]byte(p.name), []byte("."))
			id, _, isField := bytes.Cut(rest, []byte("."))
			see(id, isField, p)
			return nil
		})
	}
	each(func(id []byte, field bool, p part) {
		run, _ := ParseID(string(id))
		var trace ID
		if !field {
			_, trace = placeOf(p.content)
		}
		if erased(run, trace) {
			ours[string(id)] = true
		}
	})
	each(func(id []byte, field bool, p part) {
		switch {
		case !ours[string(id)]:
		case !field:
			changed = eraseFields(p.content) || changed
		case json.Valid(p.content):
			changed = eraseTexts(p.content) || changed
		default: // an attachment
			for i := range p.content {
				changed = changed || p.content[i] != '*'
				p.content[i] = '*'
			}
		}
	})
	return changed
}

// placeOf gives the ids that a run's object tells.
func placeOf(object []byte) (run, trace ID) {
	var f fields
	if json.Unmarshal(object, &f) != nil {
		return run, trace
	}
	run, _ = ParseID(f.ID)
	if trace, _ = ParseID(f.TraceID); trace == (ID{}) {
		trace = readOrder(f.Order).root
	}
	return run, trace
}

// eachObject tells the objects of runs of a body that is one or lists of them, as
// they stand in it.
func eachObject(body []byte, see func(object []byte)) {
	lists := false
	eachField(body, func(key string, value []byte) {
		if (key == "post" || key == "patch") && len(value) > 0 && value[0] == '[' {
			lists = true
			for rest := value[1:]; ; {
				rest = bytes.TrimLeft(rest, " \t\r\n,")
				n := valueLength(rest)
				if n == 0 {
					return
				}
				see(rest[:n])
				rest = rest[n:]
			}
		}
	})
	if !lists {
		see(bytes.TrimSpace(body))
	}
}

// eraseFields overwrites the content among the fields of an object.
func eraseFields(object []byte) (changed bool) {
	eachField(object, func(key string, value []byte) {
		if contentFields[key] {
			changed = eraseTexts(value) || changed
		}
	})
	return changed
}

// eachField tells the fields of an object as they stand in it.
func eachField(object []byte, see func(key string, value []byte)) {
	b := bytes.TrimLeft(object, " \t\r\n")
	if len(b) == 0 || b[0] != '{' {
		return
	}
	for b = b[1:]; ; {
		b = bytes.TrimLeft(b, " \t\r\n,")
		n := valueLength(b)
		if n == 0 || b[0] != '"' {
			return
		}
		var key string
		if json.Unmarshal(b[:n], &key) != nil {
			return
		}
		b = bytes.TrimLeft(b[n:], " \t\r\n:")
		if n = valueLength(b); n == 0 {
			return
		}
		see(key, b[:n])
		b = b[n:]
	}
}

// valueLength gives the length of the JSON value that b begins with, 0 if there is none.
func valueLength(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = textEnd(b, i)
			if depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return max(0, i+1+depth)
			}
		case ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// eraseTexts overwrites the texts of a JSON value, but names of fields.
func eraseTexts(value []byte) (changed bool) {
	for i := 0; i < len(value); i++ {
		if value[i] != '"' {
			continue
		}
		n := valueLength(value[i:])
		after := bytes.TrimLeft(value[i+n:], " \t\r\n")
		if len(after) == 0 || after[0] != ':' {
			for k := i + 1; k < i+n-1; k++ {
				changed = changed || value[k] != '*'
				value[k] = '*'
			}
		}
		i += n - 1
	}
	return changed
}
