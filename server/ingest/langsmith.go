package ingest

import (
	"net/http"
	"path"
	"strings"

	"treq/server/fault"
	"treq/telemetry"
	"treq/telemetry/compress"
	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// native are requests of LangSmith's own run protocol. They are kept in the bytes
// they came in; what a reader of the log makes of them comes behind.
var native = &signal{
	kind: journal.Runs, name: "runs", index: 3,
	check: func(body []byte) (int, int, error) {
		r, err := langsmith.Read(body)
		return r.Items(), 0, err
	},
}

// The addresses of the run protocol, each also below /api/v1.
const (
	pathInfo      = "/info"
	pathSessions  = "/sessions"
	pathMultipart = "/runs/multipart"
	pathBatch     = "/runs/batch"
	pathRuns      = "/runs"
	pathRun       = "/runs/" // and the id of one
	// Around the id of a run: where newer SDKs ask for a run's page.
	pathPage, pageEnd = "/api/v2/runs/", "/url"
)

// nativePath gives the address of the run protocol that a path is, "" for any other.
// rest is the run's id behind pathRun.
func nativePath(p string) (address, rest string) {
	if strings.Contains(p, "//") {
		p = path.Clean(p)
	}
	if id, ok := strings.CutPrefix(strings.TrimSuffix(p, "/"), pathPage); ok {
		if id, ok = strings.CutSuffix(id, pageEnd); ok && !strings.Contains(id, "/") {
			return pathPage, id
		}
	}
	p = strings.TrimSuffix(strings.TrimPrefix(p, "/api/v1"), "/")
	switch p {
	case pathInfo, pathSessions, pathMultipart, pathBatch, pathRuns:
		return p, ""
	}
	if id, ok := strings.CutPrefix(p, pathRun); ok && id != "" && !strings.Contains(id, "/") {
		return pathRun, id
	}
	return "", ""
}

// servesNative tells whether a request belongs to the run protocol. Of a run's own
// address only the change is: nobody who sends runs reads them.
func servesNative(r *http.Request) bool {
	address, _ := nativePath(r.URL.Path)
	return address != "" && (address != pathRun || r.Method == http.MethodPatch)
}

// serveNative answers the run protocol. Errors are problem+json whose detail names
// the part that is wrong; LangSmith's SDKs log it and look at the status alone.
func (i *Ingest) serveNative(w http.ResponseWriter, r *http.Request) {
	q := &request{signal: native, door: "langsmith", counters: &i.langsmith, limit: i.max.Load(), lease: lease{b: &i.budget}}
	defer q.end()
	address, id := nativePath(r.URL.Path)
	var err error
	switch address {
	case pathInfo:
		err = i.info(w, r)
	case pathSessions:
		err = i.sessions(w, r, q)
	case pathPage:
		err = i.page(w, r, q, id)
	default:
		if err = i.postRuns(r, q, address, id); err == nil {
			answer(w, http.StatusAccepted, accepted)
		}
	}
	if err == nil {
		return
	}
	if !q.partly {
		i.refuse(q, err)
	}
	if telemetry.KindOf(err) == telemetry.Unsupported {
		w.Header().Set("Accept-Encoding", compress.Supported)
	}
	fault.WriteProblem(w, slowDown(err))
}

// accepted is what LangSmith answers.
var accepted = []byte(`{"message":"Accepted"}`)

// slowDown makes 429 of a want of room: the status upon which LangSmith's SDKs wait
// for as long as they are told.
func slowDown(err error) error {
	a := fault.Of(err)
	if a.Status != http.StatusServiceUnavailable {
		return err
	}
	return &telemetry.Error{Kind: telemetry.Overloaded, Message: a.Message, RetryAfter: a.RetryAfter}
}

// postRuns takes one request of runs in.
func (i *Ingest) postRuns(r *http.Request, q *request, address, id string) error {
	want := http.MethodPost
	if address == pathRun {
		want = http.MethodPatch
	}
	if r.Method != want {
		return &fault.MethodError{Allow: want}
	}
	if err := i.enter(r.Header, q); err != nil {
		return err
	}
	var boundary string
	var run langsmith.ID
	var err error
	switch address {
	case pathMultipart:
		boundary, err = langsmith.Boundary(r.Header.Get("Content-Type"))
	case pathRun:
		run, err = langsmith.ParseID(id)
	}
	if err != nil {
		return err
	}
	if q.encoding, err = compress.Parse(r.Header.Get("Content-Encoding")); err != nil {
		return err
	}
	if q.wire, err = readBody(r.Body, q.encoding, r.ContentLength, q.limit, &q.lease); err != nil {
		return err
	}
	q.shape = func(body []byte) ([]byte, error) {
		if address != pathMultipart {
			// Runs in JSON are copied as they are read, those in parts are not.
			if err := q.lease.grow(int64(len(body))); err != nil {
				return nil, err
			}
		}
		switch address {
		case pathMultipart:
			if !langsmith.Begins(body, boundary) {
				return nil, telemetry.Errorf(telemetry.Invalid, "the multipart body does not begin with the boundary of its Content-Type")
			}
		case pathBatch:
			if len(body) > 0 && body[0] == '-' {
				return nil, telemetry.Errorf(telemetry.Invalid, "the batch is no JSON object")
			}
		case pathRuns:
			return q.make(len(body)+32, func(dst []byte) ([]byte, error) { return langsmith.AppendPost(dst, body), nil })
		case pathRun:
			return q.make(len(body)+96, func(dst []byte) ([]byte, error) { return langsmith.AppendPatch(dst, run, body), nil })
		}
		return body, nil
	}
	// What one part of a hundred runs has wrong must not cost the others: SDKs send
	// nothing again that was refused.
	var refused int
	var why error
	q.mend = func(body []byte) ([]byte, error) {
		if err := q.lease.grow(int64(len(body))); err != nil { // of a part that is respelled there is a copy meanwhile
			return nil, err
		}
		return q.make(len(body)+len(body)/3+64, func(dst []byte) (sound []byte, err error) {
			if sound, refused, why = langsmith.AppendSound(dst, body); len(sound) == len(dst) {
				return nil, why
			}
			return sound, nil
		})
	}
	if _, err = i.admit(r.Context(), q); err != nil || refused == 0 {
		return err
	}
	q.partly = true
	q.counters.signals[native.index].partial.Add(uint64(refused))
	return telemetry.Errorf(telemetry.KindOf(why), "%d of the parts or runs refused, the rest is kept: %s", refused, why)
}
