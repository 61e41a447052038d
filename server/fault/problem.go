package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Handler answers a request or says why not; what it returns is written by
// whoever wraps it, so a Handler that returns an error has written nothing.
type Handler func(w http.ResponseWriter, r *http.Request) error

// problem is RFC 9457 with the members that a person can act on.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// WriteProblem answers err as application/problem+json, or as FastAPI's 422
// document if it is a *Validation.
func WriteProblem(w http.ResponseWriter, err error) {
	if v, ok := errors.AsType[*Validation](err); ok {
		write(w, http.StatusUnprocessableEntity, "application/json", encode(v))
		return
	}
	a := Of(err)
	a.headers(w.Header())
	write(w, a.Status, "application/problem+json", encode(problem{http.StatusText(a.Status), a.Status, a.Message}))
}

// headers sets what belongs to the answer besides its body.
func (a Answer) headers(h http.Header) {
	if a.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(a.RetryAfter/time.Second)))
	}
	if a.Allow != "" {
		h.Set("Allow", a.Allow)
	}
	if a.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="treq-telemetry"`)
	}
}

// encode gives v as JSON without HTML escapes and without a final newline; v
// always encodes.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(`{"detail":"internal error"}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away has nothing to be told
}
