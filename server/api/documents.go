package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry"
)

// maxStale is the age at which a rendering is made anew even if nothing was
// posted: spans are counted meanwhile, and the process's own numbers move.
const maxStale = 100 * time.Millisecond

// rendering is a document as it was last rendered. One caller renders, the
// others wait for it and share the bytes.
type rendering struct {
	mu      sync.Mutex
	body    []byte
	etag    string
	version uint64
	made    time.Time
}

// get gives the rendering if it is young and no post was counted since, else makes one.
func (c *rendering) get(m Meter, now func() time.Time, make func() (any, error)) (body []byte, etag string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Read before the document is made: a post that is counted meanwhile makes
	// this rendering old, whether it is in it or not.
	version := m.Version()
	if age := now().Sub(c.made); c.body != nil && c.version == version && age >= 0 && age <= maxStale {
		return c.body, c.etag, nil
	}
	v, err := make()
	if err != nil {
		return nil, "", err
	}
	if body, err = encode(v); err != nil {
		return nil, "", err
	}
	c.body, c.etag, c.version, c.made = body, etagOf(body), version, now()
	return c.body, c.etag, nil
}

func etagOf(body []byte) string {
	return `"` + strconv.FormatUint(xxh3.Hash(body), 36) + `"`
}

// encode gives v as JSON as people write it: no HTML escapes, no final newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (a *API) getMetrics(w http.ResponseWriter, r *http.Request) error {
	return a.document(w, r, &a.metrics, a.o.Documents.Metrics, a.o.Exposition)
}

func (a *API) getSummary(w http.ResponseWriter, r *http.Request) error {
	return a.document(w, r, &a.summary, a.o.Documents.Summary, a.o.SummaryExposition)
}

// document answers one of the two: to scrapers as an exposition, to all others
// as JSON. A document that is narrowed is rendered for each caller.
func (a *API) document(w http.ResponseWriter, r *http.Request, cache *rendering,
	make func(context.Context, Narrow) (any, error), exposition http.Handler,
) error {
	if err := a.counting(); err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	if exposition != nil && wantsExposition(strings.Join(r.Header["Accept"], ",")) {
		exposition.ServeHTTP(w, r)
		return nil
	}
	var n Narrow
	var err error
	// The rendering serves others too, so it must not end with this caller.
	ctx := context.WithoutCancel(r.Context())
	if r.URL.RawQuery != "" {
		if n, err = a.narrow(ctx, parseQuery(r.URL.RawQuery)); err != nil {
			return err
		}
	}
	var body []byte
	var etag string
	if n == (Narrow{}) {
		body, etag, err = cache.get(a.o.Meter, a.now, func() (any, error) { return make(ctx, n) })
	} else {
		var v any
		if v, err = make(ctx, n); err == nil {
			body, err = encode(v)
			etag = etagOf(body)
		}
	}
	if err != nil {
		return err
	}
	h := w.Header()
	if !n.From.IsZero() {
		h.Set(headerFrom, n.From.UTC().Format(time.RFC3339))
	}
	h.Set("Etag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		h.Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// matches tells whether an If-None-Match header names the tag.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == etag || part == "*" {
			return true
		}
	}
	return false
}

// counting is nil when what was admitted before the start is counted; until
// then every number would be too low.
func (a *API) counting() error {
	err := a.o.Meter.Ready()
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*telemetry.Error](err); ok {
		return e
	}
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: "not ready: " + err.Error(), Err: err}
}

func (a *API) exposition(w http.ResponseWriter, r *http.Request) error {
	if a.o.Exposition == nil {
		return telemetry.Errorf(telemetry.NotFound, "no exposition is served here")
	}
	if err := a.counting(); err != nil {
		return err
	}
	a.o.Exposition.ServeHTTP(w, r)
	return nil
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = typeJSON
	h["Cache-Control"] = noCache
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away has nothing to be told
}

// The values are shared by all answers and never changed.
var (
	typeJSON = []string{"application/json"}
	noCache  = []string{"no-cache"}
)
