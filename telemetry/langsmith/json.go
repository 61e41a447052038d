package langsmith

import (
	"bytes"
	"encoding/json"

	"treq/telemetry"
)

// maxDepth bounds how deep JSON may nest: beyond what any run has, and below what
// costs a reader of it its stack.
const maxDepth = 500

// checkJSON tells what is wrong with a JSON text; the error is of kind
// Unprocessable or TooLarge.
func checkJSON(b []byte) error {
	if tooDeep(b) {
		return telemetry.Errorf(telemetry.TooLarge, "it nests deeper than %d", maxDepth)
	}
	if !json.Valid(b) {
		return telemetry.Errorf(telemetry.Unprocessable, "it is no JSON")
	}
	return nil
}

// tooDeep looks at brackets outside of texts alone; what is no JSON it need not read right.
func tooDeep(b []byte) bool {
	if bytes.Count(b, []byte{'{'})+bytes.Count(b, []byte{'['}) <= maxDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = textEnd(b, i)
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// told tells whether a field says anything: null does not, nor does nothing.
func told(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && string(b) != "null"
}

// hollow tells whether a field says no more than that it is there.
func hollow(b []byte) bool {
	b = bytes.TrimSpace(b)
	switch string(b) {
	case "", "null", "{}", "[]", `""`:
		return true
	}
	return false
}

// textOf gives the text of a JSON string, and the JSON itself of anything else.
func textOf(b []byte) string {
	if !told(b) {
		return ""
	}
	var s string
	if b[0] == '"' && json.Unmarshal(b, &s) == nil {
		return s
	}
	return string(bytes.TrimSpace(b))
}

// members gives those of a JSON object, nil of anything else.
func members(b []byte) (m map[string]json.RawMessage) {
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &m) != nil {
		return nil
	}
	return m
}

// textEnd gives where the text of JSON ends that begins with the quote at i: the place
// of the other quote, len(b) or more where there is none.
func textEnd(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}
