package ingest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"treq/server/access"
	"treq/server/fault"
	"treq/telemetry"
	"treq/telemetry/compress"
	"treq/telemetry/otlp"
)

// format is the encoding of a message. The zero value is protobuf.
type format uint8

const (
	formatProto format = iota
	formatJSON
)

// formatOf reads the content type. The two usual spellings are compared first,
// since parsing allocates.
func formatOf(h http.Header) (format, error) {
	v := h.Get("Content-Type")
	switch v {
	case "application/x-protobuf":
		return formatProto, nil
	case "application/json":
		return formatJSON, nil
	}
	media, _, err := mime.ParseMediaType(v)
	if err == nil {
		switch media {
		case "application/x-protobuf", "application/protobuf":
			return formatProto, nil
		case "application/json":
			return formatJSON, nil
		}
	}
	return formatJSON, telemetry.Errorf(telemetry.Unsupported, "Content-Type must be application/x-protobuf or application/json")
}

// HTTP gives the handler of OTLP/HTTP and of LangSmith's run protocol: all paths
// that Serves knows, 404 for others. Every answer has a body in the request's encoding.
func (i *Ingest) HTTP() http.Handler { return http.HandlerFunc(i.serveHTTP) }

func (i *Ingest) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if servesNative(r) {
		i.serveNative(w, r)
		return
	}
	f, formatErr := formatOf(r.Header)
	q := &request{signal: signalOf(r.URL.Path), door: "http", counters: &i.http, format: f, limit: i.max.Load(), lease: lease{b: &i.budget}}
	defer q.end()
	v, err := i.post(r, q, formatErr)
	if err != nil {
		i.refuse(q, err)
		if telemetry.KindOf(err) == telemetry.Unsupported {
			w.Header().Set("Accept-Encoding", compress.Supported)
		}
		fault.WriteOTLP(w, err, f == formatJSON)
		return
	}
	h := w.Header()
	var body []byte
	if f == formatJSON {
		h["Content-Type"] = typeJSON
		body = otlp.AppendResponseJSON(body, q.signal.response, v)
	} else {
		h["Content-Type"] = typeProto
		body = otlp.AppendResponse(body, v)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that went away will send the request again
}

// The values are shared by all answers and never changed.
var (
	typeJSON  = []string{"application/json"}
	typeProto = []string{"application/x-protobuf"}
)

// post takes one request in. Everything that can be refused without looking at the body is.
func (i *Ingest) post(r *http.Request, q *request, formatErr error) (otlp.Partial, error) {
	if q.signal == nil {
		return otlp.Partial{}, telemetry.Errorf(telemetry.NotFound, "no OTLP signal is taken at %s; post to /v1/traces, /v1/metrics or /v1/logs", r.URL.Path)
	}
	if r.Method != http.MethodPost {
		return otlp.Partial{}, &fault.MethodError{Allow: http.MethodPost}
	}
	if err := i.enter(r.Header, q); err != nil {
		return otlp.Partial{}, err
	}
	if formatErr != nil {
		return otlp.Partial{}, formatErr
	}
	var err error
	if q.encoding, err = compress.Parse(r.Header.Get("Content-Encoding")); err != nil {
		return otlp.Partial{}, err
	}
	if q.wire, err = readBody(r.Body, q.encoding, r.ContentLength, q.limit, &q.lease); err != nil {
		return otlp.Partial{}, err
	}
	return i.admit(r.Context(), q)
}

// errLoop is a request that this process has sent itself.
var errLoop = telemetry.Errorf(telemetry.Invalid, "this request was forwarded by the same process and has come back: a sink points at one of its own doors")

// enter decides from the headers alone who may come in and where the body belongs.
func (i *Ingest) enter(h http.Header, q *request) (err error) {
	if q.scope, err = i.tokens.Authorize(access.Ingest, h); err != nil {
		return err
	}
	if err := i.quota.check(q.scope); err != nil {
		return err
	}
	if i.instance != "" {
		for _, hop := range h["Treq-Hop"] {
			for name := range strings.SplitSeq(hop, ",") {
				if strings.TrimSpace(name) == i.instance {
					return errLoop
				}
			}
		}
	}
	q.project, q.tenant = h.Get("Langsmith-Project"), h.Get("X-Tenant-Id")
	return nil
}

// refuse counts a refusal, and logs a fault of our own.
func (i *Ingest) refuse(q *request, err error) {
	why := reasonOf(err)
	q.counters.refused[why].Add(1)
	if why == reasonInternal {
		i.logger.Error("a door could not take a request in", "door", q.door, "error", err)
	}
}
