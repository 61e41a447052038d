package api

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"treq/server/fault"
)

// The parsers below accept and refuse what pydantic 2 does in its lax mode, as
// recorded in testdata; callers of the original service rely on it.

// maxDigits is where pydantic stops to parse a whole number.
const maxDigits = 4300

func parseBool(v value) (bool, *fault.FieldError) {
	unclear := &fault.FieldError{Type: "bool_parsing", Msg: "Input should be a valid boolean, unable to interpret input"}
	s := v.text
	if v.raw != nil {
		switch v.raw[0] {
		case 't', 'f':
			return v.raw[0] == 't', nil
		case '"':
			s = unquote(v.raw)
		case '[', '{', 'n':
			return false, &fault.FieldError{Type: "bool_type", Msg: "Input should be a valid boolean"}
		default:
			n, err := strconv.ParseFloat(string(v.raw), 64)
			if err == nil && (n == 0 || n == 1) {
				return n == 1, nil
			}
			if n != math.Trunc(n) || err != nil {
				return false, &fault.FieldError{Type: "bool_type", Msg: "Input should be a valid boolean"}
			}
			return false, unclear
		}
	}
	switch strings.ToLower(s) {
	case "1", "true", "t", "yes", "y", "on":
		return true, nil
	case "0", "false", "f", "no", "n", "off":
		return false, nil
	}
	return false, unclear
}

func parseFloat(v value) (float64, *fault.FieldError) {
	s := v.text
	if v.raw != nil {
		switch v.raw[0] {
		case 't':
			return 1, nil
		case 'f':
			return 0, nil
		case '"':
			s = unquote(v.raw)
		case '[', '{', 'n':
			return 0, &fault.FieldError{Type: "float_type", Msg: "Input should be a valid number"}
		default:
			// A number of JSON always parses; beyond the range it is infinite.
			n, _ := strconv.ParseFloat(string(v.raw), 64)
			return n, nil
		}
	}
	n, ok := floatText(s)
	if !ok {
		return 0, &fault.FieldError{Type: "float_parsing", Msg: "Input should be a valid number, unable to parse string as a number"}
	}
	return n, nil
}

// floatText reads what Rust's f64 parser does, after spaces and single
// underscores are taken away. Go's parser would take hexadecimal too.
func floatText(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "_") {
		if strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") {
			return 0, false
		}
		s = strings.ReplaceAll(s, "_", "")
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	switch strings.ToLower(digits) {
	case "nan": // which Go reads without a sign only
		return math.NaN(), true
	case "inf", "infinity":
	default:
		if strings.Trim(digits, "0123456789.eE+-") != "" || digits == "" || !strings.ContainsAny(digits, "0123456789") {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

func parseInt(v value) (int64, *fault.FieldError) {
	s := v.text
	if v.raw != nil {
		switch v.raw[0] {
		case 't':
			return 1, nil
		case 'f':
			return 0, nil
		case '"':
			s = unquote(v.raw)
		case '[', '{', 'n':
			return 0, &fault.FieldError{Type: "int_type", Msg: "Input should be a valid integer"}
		default:
			return intNumber(string(v.raw))
		}
	}
	n, ok := intText(s)
	switch {
	case !ok:
		return 0, &fault.FieldError{Type: "int_parsing", Msg: "Input should be a valid integer, unable to parse string as an integer"}
	case n == "":
		return 0, errIntSize()
	}
	return saturate(n), nil
}

func errIntSize() *fault.FieldError {
	return &fault.FieldError{Type: "int_parsing_size", Msg: "Unable to parse input string as an integer, exceeded maximum size"}
}

// intNumber reads a number of JSON: a whole one may be written as a float.
func intNumber(s string) (int64, *fault.FieldError) {
	if !strings.ContainsAny(s, ".eE") {
		return saturate(s), nil
	}
	n, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, &fault.FieldError{Type: "finite_number", Msg: "Input should be a finite number"}
	case n != math.Trunc(n):
		return 0, &fault.FieldError{Type: "int_from_float", Msg: "Input should be a valid integer, got a number with a fractional part"}
	case math.Abs(n) >= 1<<63:
		return 0, errIntSize()
	}
	return int64(n), nil
}

// intText gives the sign and digits of a text that stands for a whole number:
// leading zeros, single underscores between digits and a fraction of zeros are
// taken away. The text is "" if it is longer than pydantic reads.
func intText(s string) (string, bool) {
	s = strings.TrimSpace(s)
	sign := ""
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = "-", s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if before, fraction, ok := strings.Cut(s, "."); ok {
		if fraction == "" || strings.Trim(fraction, "0") != "" {
			return "", false
		}
		s = before
	}
	if s == "" || s[0] == '_' || s[len(s)-1] == '_' || strings.Contains(s, "__") {
		return "", false
	}
	s = strings.ReplaceAll(s, "_", "")
	if strings.Trim(s, "0123456789") != "" {
		return "", false
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		s = "0"
	}
	if len(s) > maxDigits {
		return "", true
	}
	return sign + s, true
}

// saturate reads digits; what does not fit is as far out of every range as can be.
func saturate(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && strings.HasPrefix(s, "-") {
		return math.MinInt64
	}
	if err != nil {
		return math.MaxInt64
	}
	return n
}

func parseText(v value) (string, *fault.FieldError) {
	s := v.text
	if v.raw != nil {
		if v.raw[0] != '"' {
			return "", &fault.FieldError{Type: "string_type", Msg: "Input should be a valid string"}
		}
		s = unquote(v.raw)
	}
	if utf8.RuneCountInString(s) > maxText {
		limit := strconv.Itoa(maxText)
		return "", bound("string_too_long", "String should have at most "+limit+" characters", "max_length", limit)
	}
	return s, nil
}

// unquote reads a JSON string that is known to be one.
func unquote(raw json.RawMessage) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return ""
	}
	return s
}
