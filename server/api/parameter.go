package api

import (
	"encoding/json"
	"math"
	"strconv"

	"treq/server/fault"
)

// kind is what a parameter is.
type kind uint8

const (
	boolean kind = iota
	number       // a float within its range
	whole        // a whole number within its range
	text         // at most maxText characters
)

const (
	maxText  = 1024
	maxCount = 1 << 53
	maxMS    = 1e9
)

// parameter is one field of a post.
type parameter struct {
	name     string
	kind     kind
	required bool
	max      float64 // of numbers; the least is 0
}

// fields are the parameters that were sent and are good, by name. A parameter
// that was left out is absent, not zero.
type fields struct {
	bools   map[string]bool
	numbers map[string]float64
	counts  map[string]int64
	texts   map[string]string
}

// parse reads all parameters and reports all that are bad, in their order.
func parse(in input, parameters []parameter) (fields, error) {
	f := fields{map[string]bool{}, map[string]float64{}, map[string]int64{}, map[string]string{}}
	var bad []fault.FieldError
	for _, p := range parameters {
		v, sent := in.values[p.name]
		if sent && !p.required && string(v.raw) == "null" {
			sent = false
		}
		if !sent {
			if p.required {
				bad = append(bad, missing(in, p.name))
			}
			continue
		}
		if e := f.take(p, v); e != nil {
			e.Loc = []any{v.in, p.name}
			if e.Input = v.raw; e.Input == nil {
				e.Input = quoted(v.text)
			}
			bad = append(bad, *e)
		}
	}
	if bad != nil {
		return fields{}, &fault.Validation{Detail: bad}
	}
	return f, nil
}

func missing(in input, name string) fault.FieldError {
	e := fault.FieldError{Type: "missing", Loc: []any{in.in, name}, Msg: "Field required", Input: in.whole}
	if e.Input == nil {
		e.Input = json.RawMessage("null")
	}
	return e
}

// take keeps a parameter, or says in pydantic's words what is wrong with it.
func (f *fields) take(p parameter, v value) (e *fault.FieldError) {
	switch p.kind {
	case boolean:
		f.bools[p.name], e = parseBool(v)
	case number:
		var n float64
		if n, e = parseFloat(v); e == nil {
			e = numberRange(n, p.max)
		}
		f.numbers[p.name] = n
	case whole:
		var n int64
		if n, e = parseInt(v); e == nil {
			e = countRange(n, int64(p.max))
		}
		f.counts[p.name] = n
	case text:
		f.texts[p.name], e = parseText(v)
	}
	return e
}

func numberRange(n, most float64) *fault.FieldError {
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return &fault.FieldError{Type: "finite_number", Msg: "Input should be a finite number"}
	case n < 0:
		return bound("greater_than_equal", "Input should be greater than or equal to 0", "ge", "0.0")
	case n > most:
		limit := strconv.FormatFloat(most, 'f', -1, 64)
		return bound("less_than_equal", "Input should be less than or equal to "+limit, "le", limit+".0")
	}
	return nil
}

func countRange(n, most int64) *fault.FieldError {
	switch {
	case n < 0:
		return bound("greater_than_equal", "Input should be greater than or equal to 0", "ge", "0")
	case n > most:
		limit := strconv.FormatInt(most, 10)
		return bound("less_than_equal", "Input should be less than or equal to "+limit, "le", limit)
	}
	return nil
}

func bound(kind, msg, name, limit string) *fault.FieldError {
	return &fault.FieldError{Type: kind, Msg: msg, Ctx: json.RawMessage(`{"` + name + `":` + limit + `}`)}
}
