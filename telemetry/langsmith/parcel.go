package langsmith

import (
	"encoding/json"
	"mime"
	"strconv"
	"strings"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// Parcel is what a request says of one run, to be said again to another LangSmith
// in the same words. Its bytes alias the request. Not safe for concurrent use.
type Parcel struct {
	ID ID
	// Trace is the run's trace; its own id where the request does not tell.
	Trace ID
	// Patch tells a change of a run from its beginning.
	Patch bool
	// Single is the run's object where it does not tell its place in a trace, without
	// which no multipart body takes it: it goes to POST /runs or PATCH /runs/{id}, as
	// the SDK sends it. nil for all others.
	Single []byte

	op    Op
	parts []part // as they stand in a multipart body, the run's own first; nil of a Single
}

// Parcels takes a body apart that Read has taken before. Judgements in it are only
// counted: they go another way. The error is Read's.
func Parcels(body []byte) (parcels []Parcel, judgements int, err error) {
	r, err := Reread(body)
	if err != nil {
		return nil, 0, err
	}
	parcels = make([]Parcel, len(r.Ops))
	for i := range r.Ops {
		parcels[i] = parcelOf(r.Ops[i])
	}
	if strings.HasPrefix(string(body[:min(2, len(body))]), "--") {
		err = fillParts(body, parcels)
	} else {
		err = splitObjects(body, parcels)
	}
	return parcels, len(r.Feedback), err
}

func parcelOf(op Op) Parcel {
	p := Parcel{ID: op.ID, Patch: op.Patch, op: op}
	if p.Trace, _ = ParseID(op.main.TraceID); p.Trace == (ID{}) {
		if o := readOrder(op.main.Order); o.self == op.ID {
			p.Trace = o.root
		}
	}
	if p.Trace == (ID{}) {
		p.Trace = op.ID
	}
	return p
}

// fillParts gives each parcel of a multipart body its parts. An attachment goes with
// what was last said of its run, or with what is there of others.
func fillParts(body []byte, parcels []Parcel) error {
	last := map[string]int{}
	next := 0
	return eachPart(body, func(p part) error {
		op, rest, _ := strings.Cut(p.name, ".")
		id, _, isField := strings.Cut(rest, ".")
		switch {
		case op == "feedback":
			return nil
		case op == "attachment":
			at, known := last[id]
			if !known && len(parcels) == 0 {
				return nil // of a run of another request, and nothing to send it with
			}
			parcels[at].parts = append(parcels[at].parts, p)
			return nil
		case !isField:
			last[id], last[p.name] = next, next
			next++
		}
		at := last[op+"."+id]
		parcels[at].parts = append(parcels[at].parts, p)
		return nil
	})
}

// splitFields are those of a run's object that stand in parts of their own, in the
// SDK's order.
var splitFields = []string{"inputs", "outputs", "events", "extra", "error", "serialized"}

// splitObjects gives each parcel of a batch the parts that the SDK would have made
// of its object.
func splitObjects(body []byte, parcels []Parcel) error {
	var b batch
	if err := json.Unmarshal(body, &b); err != nil {
		return telemetry.Errorf(telemetry.Unprocessable, "error parsing the batch: %s", reason(err))
	}
	for i, object := range append(b.Post, b.Patch...) {
		p := &parcels[i]
		if p.op.main.TraceID == "" || p.op.main.Order == "" {
			p.Single = object
			continue
		}
		fields := members(object)
		if _, told := fields["id"]; !told {
			fields["id"] = json.RawMessage(strconv.Quote(p.ID.String()))
		}
		name := "post." + p.ID.String()
		if p.Patch {
			name = "patch." + p.ID.String()
		}
		p.parts = []part{{}}
		for _, field := range splitFields {
			value, there := fields[field]
			delete(fields, field)
			if there && told(value) {
				p.parts = append(p.parts, part{name: name + "." + field, contentType: "application/json", content: value})
			}
		}
		main, err := json.Marshal(fields)
		if err != nil {
			return telemetry.Errorf(telemetry.Unprocessable, "error parsing the batch: %s", reason(err))
		}
		p.parts[0] = part{name: name, contentType: "application/json", content: main}
	}
	return nil
}

// Size is about how many bytes the parcel takes in a multipart body.
func (p *Parcel) Size() int {
	n := len(p.Single)
	for i := range p.parts {
		n += len(p.parts[i].content) + len(p.parts[i].name) + 160
	}
	return n
}

// AppendMultipart appends the parcels as a body of parts, which ends with
// AppendEnd. The boundary must stand in none of them.
func AppendMultipart(dst []byte, boundary string, parcels []Parcel) []byte {
	for i := range parcels {
		for j := range parcels[i].parts {
			p := &parcels[i].parts[j]
			dst = append(append(dst, "--"...), boundary...)
			dst = append(append(dst, "\r\nContent-Disposition: form-data; name=\""...), p.name...)
			dst = append(append(dst, "\"\r\nContent-Type: "...), lengthened(p.contentType, len(p.content))...)
			dst = strconv.AppendInt(append(dst, "\r\nContent-Length: "...), int64(len(p.content)), 10)
			dst = append(append(append(dst, "\r\n\r\n"...), p.content...), "\r\n"...)
		}
	}
	return dst
}

// AppendEnd ends a body of parts.
func AppendEnd(dst []byte, boundary string) []byte {
	return append(append(append(dst, "--"...), boundary...), "--\r\n"...)
}

// lengthened is a content type whose length, where it tells one, is that of the
// content: what was taken out of it since may have made it shorter.
func lengthened(contentType string, length int) string {
	if contentType == "" {
		return "application/json"
	}
	if !strings.Contains(contentType, "length") {
		return contentType
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["length"] == "" {
		return contentType
	}
	parameters["length"] = strconv.Itoa(length)
	if whole := mime.FormatMediaType(media, parameters); whole != "" {
		return whole
	}
	return contentType
}

// AppendSpan appends what the parcel says as a trace request of one span, as its run
// is read where it becomes one: for those who choose among traces.
func (p *Parcel) AppendSpan(dst []byte) []byte {
	var r Run
	r.Merge(&p.op)
	r.Trace = p.Trace
	return otlp.AppendTraceRequest(dst, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, r.Service())},
		Scopes:     []otlp.ScopeData{{Spans: []otlp.SpanData{r.Span(p.ID.SpanID(), [8]byte{}, "")}}},
	})
}
