package export

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// langSmith is a LangSmith that keeps what it is sent: runs field by field, as they
// stand after all that was said of them, attachments, judgements, and OTLP requests.
// It reads bodies with the standard library.
type langSmith struct {
	t      testing.TB
	info   string
	answer func(r *http.Request, body []byte) int // nil takes everything

	mu        sync.Mutex
	runs      map[string]map[string]any
	attached  map[string]string // by the part's name: type and content
	judged    []string
	otlp      [][]spanSpec
	requests  []string // method, path and encoding
	keys      []string
	mostParts int
}

func newLangSmith(t testing.TB, info string) *langSmith {
	return &langSmith{t: t, info: info, runs: map[string]map[string]any{}, attached: map[string]string{}}
}

// RoundTrip answers in place of a network.
func (l *langSmith) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := unpacked(r.Header.Get("Content-Encoding"), body)
	if err != nil {
		l.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	status, content := l.serve(r, body)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(content)),
	}, nil
}

// unpacked decodes with readers that no other test's clock knows.
func unpacked(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "zstd":
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		return z.DecodeAll(body, nil)
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	return body, nil
}

func (l *langSmith) serve(r *http.Request, body []byte) (int, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Encoding")))
	l.keys = append(l.keys, r.Header.Get("X-Api-Key"))
	if r.URL.Path == "/info" {
		return http.StatusOK, l.info
	}
	accepted := http.StatusAccepted
	if l.answer != nil {
		if status := l.answer(r, body); status >= 300 && status != http.StatusConflict {
			return status, `{"error":"refused"}`
		} else if status >= 300 {
			accepted = status
		}
	}
	switch {
	case r.URL.Path == "/otel/v1/traces":
		l.otlp = append(l.otlp, decode(l.t, body))
		return http.StatusOK, "{}"
	case r.URL.Path == "/runs/multipart":
		l.multipart(r.Header.Get("Content-Type"), body)
	case r.URL.Path == "/runs/batch":
		l.batch(body)
	case r.URL.Path == "/runs":
		l.object("", body)
	case strings.HasPrefix(r.URL.Path, "/runs/") && r.Method == http.MethodPatch:
		l.object(strings.TrimPrefix(r.URL.Path, "/runs/"), body)
	default:
		return http.StatusNotFound, "{}"
	}
	return accepted, `{"message":"Accepted"}`
}

func (l *langSmith) multipart(contentType string, body []byte) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		l.t.Errorf("%s: %v", contentType, err)
		return
	}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	n := 0
	for ; ; n++ {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			l.t.Errorf("part %d: %v", n, err)
			return
		}
		content, _ := io.ReadAll(p)
		l.part(p.FormName(), p.Header.Get("Content-Type"), content)
	}
	l.mostParts = max(l.mostParts, n)
}

func (l *langSmith) part(name, contentType string, content []byte) {
	op, rest, _ := strings.Cut(name, ".")
	id, field, isField := strings.Cut(rest, ".")
	switch {
	case op == "feedback":
		l.judged = append(l.judged, id)
	case op == "attachment":
		l.attached[name] = contentType + ": " + string(content)
	case isField:
		l.set(id, field, content)
	default:
		l.object(id, content)
	}
}

func (l *langSmith) batch(body []byte) {
	var b struct{ Post, Patch []json.RawMessage }
	if err := json.Unmarshal(body, &b); err != nil {
		l.t.Error(err)
	}
	for _, object := range append(b.Post, b.Patch...) {
		l.object("", object)
	}
}

// object takes in the fields of a run that stand in one object.
func (l *langSmith) object(id string, content []byte) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil {
		l.t.Errorf("%s: %v", content, err)
	}
	if id == "" {
		_ = json.Unmarshal(fields["id"], &id)
	}
	for name, value := range fields {
		l.set(id, name, value)
	}
}

func (l *langSmith) set(id, field string, content []byte) {
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		l.t.Errorf("%s.%s: %v", id, field, err)
	}
	if value == nil {
		return
	}
	if l.runs[id] == nil {
		l.runs[id] = map[string]any{}
	}
	l.runs[id][field] = value
}

// everything is an /info of today.
const everything = `{"instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true},"batch_ingest_config":{"size_limit":100,"size_limit_bytes":20971520}}`
