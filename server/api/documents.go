package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"treq/telemetry"
)

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
	if n != (Narrow{}) {
		v, err := make(ctx, n)
		if err != nil {
			return err
		}
		body, err := encode(v)
		if err != nil {
			return err
		}
		if !n.From.IsZero() {
			w.Header().Set(headerFrom, n.From.UTC().Format(time.RFC3339))
		}
		writeTagged(w, r, body, etagOf(body))
		return nil
	}
	build := func() (any, error) { return make(ctx, n) }
	now, err := cache.get(a.o.Meter, a.now, build)
	if err != nil {
		return err
	}
	writeTagged(w, r, now.body, now.etag)
	if cache.due(a.o.Meter, a.now) {
		// The answer leaves first, so that nobody waits for what others will be told.
		_ = http.NewResponseController(w).Flush() // a client that went away has no part in the rest
		cache.renew(a.o.Meter, a.now, build)
	}
	return nil
}

// writeTagged answers with a document, or that the client has it.
func writeTagged(w http.ResponseWriter, r *http.Request, body []byte, etag string) {
	h := w.Header()
	h.Set("Etag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		h.Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, body)
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
