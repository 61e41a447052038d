package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode/utf8"

	"treq/server/fault"
	"treq/telemetry"
)

// maxPost bounds the body of a post: a few numbers and names.
const maxPost = 1 << 20

// value is one parameter as it was sent.
type value struct {
	// text is the parameter where it came as text.
	text string
	// raw is the parameter where it came as JSON, nil otherwise.
	raw json.RawMessage
	in  string // "query" or "body"
}

// input is everything a post sent. A parameter of the body overrides the same
// one of the query, as the last of a repeated one does.
type input struct {
	values map[string]value
	// in is where a missing parameter is said to be missing.
	in string
	// whole is the JSON body, which FastAPI shows for a parameter that is missing
	// from it; nil where there was none.
	whole json.RawMessage
}

// read gathers the parameters of a request. A body of another content type is
// ignored, as FastAPI ignores it for a route that declares query parameters.
func read(w http.ResponseWriter, r *http.Request) (input, error) {
	in := input{values: map[string]value{}, in: "query"}
	for name, text := range parseQuery(r.URL.RawQuery) {
		in.values[name] = value{text: text, in: "query"}
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Body == nil || r.Body == http.NoBody {
		return in, nil
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return in, telemetry.Errorf(telemetry.Unsupported, "a post is taken as it is; send it without Content-Encoding")
	}
	body := http.MaxBytesReader(w, r.Body, maxPost)
	switch {
	case media == "application/json" || strings.HasSuffix(media, "+json") && strings.HasPrefix(media, "application/"):
		err = in.readJSON(body)
	case media == "application/x-www-form-urlencoded":
		err = in.readForm(body)
	case media == "multipart/form-data":
		err = in.readMultipart(body, params["boundary"])
	}
	return in, bodyError(err)
}

// bodyError gives the errors of reading a body a kind.
func bodyError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return telemetry.Errorf(telemetry.TooLarge, "a post may have %d bytes", maxPost)
	}
	if _, ok := errors.AsType[*fault.Validation](err); ok {
		return err
	}
	if _, ok := errors.AsType[*telemetry.Error](err); ok {
		return err
	}
	return &telemetry.Error{Kind: telemetry.Invalid, Message: "the body could not be read", Err: err}
}

func (in *input) readJSON(body io.Reader) error {
	b, err := io.ReadAll(body) // bounded by maxPost
	if err != nil {
		return err
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimSpace(b)
	// axios sends null, or nothing, where the parameters stand in the query.
	if len(trimmed) == 0 || string(trimmed) == "null" {
		return nil
	}
	if !utf8.Valid(trimmed) {
		return telemetry.Errorf(telemetry.Invalid, "the body is not UTF-8")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return jsonError(err, trimmed)
	}
	var whole bytes.Buffer
	if err := json.Compact(&whole, trimmed); err != nil {
		return err
	}
	in.whole, in.in = whole.Bytes(), "body"
	for name, raw := range fields {
		in.values[name] = value{raw: raw, in: "body"}
	}
	return nil
}

// jsonError says in FastAPI's shape that a body is no JSON, or no object. The
// words for what is wrong with it are our decoder's, not Python's.
func jsonError(err error, body []byte) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &fault.Validation{Detail: []fault.FieldError{{
			Type: "json_invalid", Loc: []any{"body", max(e.Offset-1, 0)}, Msg: "JSON decode error",
			Input: json.RawMessage("{}"), Ctx: json.RawMessage(`{"error":` + string(quoted(e.Error())) + `}`),
		}}}
	}
	var whole bytes.Buffer
	if json.Compact(&whole, body) != nil {
		whole.WriteString("null")
	}
	return &fault.Validation{Detail: []fault.FieldError{{
		Type: "model_attributes_type", Loc: []any{"body"},
		Msg:   "Input should be a valid dictionary or object to extract fields from",
		Input: whole.Bytes(),
	}}}
}

func (in *input) readForm(body io.Reader) error {
	b, err := io.ReadAll(body) // bounded by maxPost
	if err != nil {
		return err
	}
	for name, text := range parseQuery(string(b)) {
		in.form(name, text)
	}
	return nil
}

func (in *input) readMultipart(body io.Reader, boundary string) error {
	parts := multipart.NewReader(body, boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if part.FileName() != "" {
			continue
		}
		b, err := io.ReadAll(part) // bounded by maxPost
		if err != nil {
			return err
		}
		in.form(part.FormName(), strings.ToValidUTF8(string(b), "\uFFFD"))
	}
}

// form takes a field of a form; an empty one counts as not filled in.
func (in *input) form(name, text string) {
	in.in = "body"
	if text != "" {
		in.values[name] = value{text: text, in: "body"}
	}
}

// parseQuery splits a query as Python's parse_qsl does: "&" separates, a percent
// sign that starts no escape stands for itself, bytes that are no UTF-8 become
// U+FFFD, and the last of a repeated name wins.
func parseQuery(raw string) map[string]string {
	values := map[string]string{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, text, _ := strings.Cut(part, "=")
		values[unescape(name)] = unescape(text)
	}
	return values
}

func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// quoted gives text as a JSON string.
func quoted(text string) json.RawMessage {
	b, err := encode(text)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return b
}
