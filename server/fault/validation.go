package fault

import (
	"encoding/json"
	"strings"
)

// FieldError is one bad parameter, in the shape that pydantic 2 gives it.
type FieldError struct {
	// Type is pydantic's name of the fault, such as "bool_parsing".
	Type string `json:"type"`
	// Loc is where the parameter was looked for: "query" or "body", then its name.
	Loc []any `json:"loc"`
	// Msg is pydantic's sentence.
	Msg string `json:"msg"`
	// Input is what was sent, as JSON; null for a parameter that is missing.
	Input json.RawMessage `json:"input"`
	// Ctx holds the bound that was passed, as JSON; nil where there is none.
	Ctx json.RawMessage `json:"ctx,omitempty"`
}

// Validation is a request with bad parameters, all of them at once. It is
// answered with 422 and the document that FastAPI's callers know.
type Validation struct {
	Detail []FieldError `json:"detail"`
}

// Error names the parameters and their faults.
func (v *Validation) Error() string {
	var b strings.Builder
	for i, f := range v.Detail {
		if i > 0 {
			b.WriteString("; ")
		}
		for j, l := range f.Loc {
			if s, ok := l.(string); ok {
				if j > 0 {
					b.WriteByte('.')
				}
				b.WriteString(s)
			}
		}
		b.WriteString(": " + f.Msg)
	}
	return b.String()
}
