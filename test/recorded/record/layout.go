package main

import (
	"bytes"
	"encoding/json"
)

// width is how long a value may be that stands on one line; attributes of a plain
// value always do.
const width = 140

// layOut indents JSON the way recorded spans are read best: what is short stays on
// one line, one attribute is one line.
func layOut(dst []byte, value json.RawMessage, indent string) ([]byte, error) {
	value = bytes.TrimSpace(value)
	plain := bytes.HasPrefix(value, []byte(`{"key":`)) && bytes.Contains(value, []byte(`"value":{"stringValue":`))
	if len(value) <= width || plain || value[0] != '{' && value[0] != '[' {
		return append(dst, value...), nil
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	dst = append(dst, value[0])
	deeper := indent + " "
	for first := true; dec.More(); first = false {
		if !first {
			dst = append(dst, ',')
		}
		dst = append(append(dst, '\n'), deeper...)
		if value[0] == '{' {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			quoted, err := json.Marshal(name)
			if err != nil {
				return nil, err
			}
			dst = append(append(dst, quoted...), ": "...)
		}
		var member json.RawMessage
		err := dec.Decode(&member)
		if err != nil {
			return nil, err
		}
		if dst, err = layOut(dst, member, deeper); err != nil {
			return nil, err
		}
	}
	return append(append(append(dst, '\n'), indent...), value[len(value)-1]), nil
}
