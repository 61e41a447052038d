package langsmith

import (
	"bytes"
	"mime"
	"strings"

	"treq/telemetry"
)

// The limits of a multipart body. A run has eight parts and its attachments.
const (
	maxParts      = 100_000
	maxBoundary   = 70 // RFC 2046
	maxPartHeader = 8 << 10
)

// Boundary gives the boundary that a Content-Type names. The error is of kind
// Unsupported where it is not multipart, else Invalid.
func Boundary(contentType string) (string, error) {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "multipart/") {
		return "", telemetry.Errorf(telemetry.Unsupported, "Content-Type must be multipart/form-data")
	}
	b := parameters["boundary"]
	if b == "" || len(b) > maxBoundary {
		return "", telemetry.Errorf(telemetry.Invalid, "the boundary of a multipart body has 1 to %d bytes", maxBoundary)
	}
	return b, nil
}

// Begins tells whether a body begins with a boundary, as a body without a preamble
// does. Read finds the boundary of such a body in its first line.
func Begins(body []byte, boundary string) bool {
	rest, ok := bytes.CutPrefix(body, []byte("--"))
	if ok {
		rest, ok = bytes.CutPrefix(rest, []byte(boundary))
	}
	return ok && (bytes.HasPrefix(rest, []byte("\r\n")) || bytes.HasPrefix(rest, []byte("--")))
}

// part is one part of a multipart body.
type part struct {
	name        string
	contentType string
	header      []byte // all of it, as it came
	content     []byte
}

// eachPart tells the parts of a body that begins with its boundary.
func eachPart(body []byte, visit func(p part) error) error {
	line, rest, ok := bytes.Cut(body, []byte("\r\n"))
	boundary, last := bytes.CutSuffix(line, []byte("--"))
	if last && len(boundary) > 2 && len(bytes.TrimSpace(rest)) == 0 {
		return nil // no part at all
	}
	if !ok || len(line) <= 2 || len(line) > 2+maxBoundary {
		return telemetry.Errorf(telemetry.Invalid, "the multipart body does not begin with a boundary")
	}
	delimiter := append([]byte("\r\n"), line...)
	for n := 1; ; n++ {
		if n > maxParts {
			return telemetry.Errorf(telemetry.TooLarge, "a request may have %d parts", maxParts)
		}
		// A part without headers has its empty line at once, and no name.
		at := bytes.Index(rest, delimiter)
		if at < 0 {
			return telemetry.Errorf(telemetry.Invalid, "part %d of the multipart body does not end: the body was cut off", n)
		}
		p, err := readPart(n, rest[:at])
		if err != nil {
			return err
		}
		if err := visit(p); err != nil {
			return err
		}
		rest = rest[at+len(delimiter):]
		if bytes.HasPrefix(rest, []byte("--")) {
			return nil
		}
		if rest, ok = bytes.CutPrefix(rest, []byte("\r\n")); !ok {
			return telemetry.Errorf(telemetry.Invalid, "behind part %d of the multipart body the boundary's line does not end", n)
		}
	}
}

func readPart(n int, b []byte) (p part, err error) {
	header, content, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok || len(header) > maxPartHeader {
		return p, telemetry.Errorf(telemetry.Invalid, "part %d of the multipart body has no headers, or too long ones", n)
	}
	p.header, p.content = header, content
	for line := range strings.SplitSeq(string(header), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-disposition":
			p.name = nameIn(value)
		case "content-type":
			p.contentType = value
		case "content-encoding", "content-transfer-encoding":
			if !strings.EqualFold(value, "identity") && !strings.EqualFold(value, "binary") && !strings.EqualFold(value, "8bit") {
				return p, telemetry.Errorf(telemetry.Unprocessable, "part %d of the multipart body is encoded as %.32q; only whole bodies may be", n, value)
			}
		}
	}
	if p.name == "" {
		return p, telemetry.Errorf(telemetry.Unprocessable, "part %d of the multipart body has no name", n)
	}
	return p, nil
}

// nameIn gives the name of a Content-Disposition. SDKs write it between quotes and
// escape nothing, so a name with a quote in it reads up to there.
func nameIn(disposition string) string {
	if _, rest, ok := strings.Cut(disposition, ` name="`); ok {
		name, _, _ := strings.Cut(rest, `"`)
		return name
	}
	_, parameters, _ := mime.ParseMediaType(disposition)
	return parameters["name"]
}

func readMultipart(body []byte, check func([]byte) error) (Request, error) {
	f := newForm(check)
	if err := eachPart(body, f.take); err != nil {
		return Request{}, err
	}
	return f.request, nil
}

// form is a multipart body being read. A part that is refused leaves it as it was.
type form struct {
	request     Request
	check       func([]byte) error
	last        map[string]int // the operation of "post.<id>" or "patch.<id>"
	attachments map[string]int
}

func newForm(check func([]byte) error) *form {
	return &form{check: check, last: map[string]int{}, attachments: map[string]int{}}
}

func (f *form) take(p part) error {
	r := &f.request
	op, rest, _ := strings.Cut(p.name, ".")
	id, field, isField := strings.Cut(rest, ".")
	switch {
	case op == "feedback":
		j, err := ReadFeedback(p.content)
		if err != nil {
			return telemetry.Errorf(telemetry.KindOf(err), "error parsing %.128s: %s", p.name, err)
		}
		r.Feedback = append(r.Feedback, j)
		return nil
	case op == "attachment":
		if at, ok := f.attachments[id]; ok {
			a := Attachment{Name: field, Type: mediaType(p.contentType), Bytes: len(p.content)}
			r.Ops[at].attachments = append(r.Ops[at].attachments, a)
		}
		return nil // one of a run that comes elsewhere is kept with the bytes
	case op != "post" && op != "patch":
		return telemetry.Errorf(telemetry.Unprocessable,
			"the part %.128q is none of post.<id>, patch.<id>, a field of these, attachment.<id>.<name> and feedback.<id>", p.name)
	}
	run, err := ParseID(id)
	if err != nil {
		return within(clip(p.name), err)
	}
	if !isField {
		if len(r.Ops) == maxOps {
			return telemetry.Errorf(telemetry.TooLarge, "a request may have %d runs", maxOps)
		}
		if err := f.check(p.content); err != nil {
			return within(clip(p.name), err)
		}
		one, err := operation(clip(p.name), op == "patch", run, p.content)
		if err != nil {
			return err
		}
		f.last[p.name], f.attachments[id] = len(r.Ops), len(r.Ops)
		r.Ops = append(r.Ops, one)
		return nil
	}
	at, ok := f.last[op+"."+id]
	if !ok {
		return telemetry.Errorf(telemetry.Unprocessable, "the part %.128s comes before the run that it is of", p.name)
	}
	into := r.Ops[at].field(field)
	if into == nil {
		return telemetry.Errorf(telemetry.Unprocessable, "the part %.128q names no field of a run that comes in a part of its own", p.name)
	}
	if err := f.check(p.content); err != nil {
		return within(clip(p.name), err)
	}
	*into = p.content
	return nil
}

func clip(name string) string { return name[:min(len(name), 128)] }

// mediaType is a content type without its parameters, of which SDKs make a length.
func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	return strings.TrimSpace(v)
}
