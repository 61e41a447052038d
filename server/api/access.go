package api

import (
	"net/http"
	"slices"

	"treq/telemetry"
)

// open are the addresses that tell nothing and that probes and people without a
// token need.
var open = []string{"/", "/openapi.json", "/docs", "/healthz", "/livez", "/readyz", "/monitoring/health"}

// mayUse decides over a request for one of the routes from its headers alone,
// before anything of the body is read. What records asks for the scope that
// sends, what destroys for the one that may; a route that is on no list here is a
// number. Runs have a rule of their own (mayReadRuns).
func (a *API) mayUse(path string, r *http.Request) error {
	if shown, err := a.mayJudge(path, r); shown {
		return err
	}
	decide := a.o.Authorize
	method := r.Method
	if path == promQLPath {
		method = http.MethodGet // a POST is a question too, with its parameters in a form
	}
	switch method {
	case http.MethodGet, http.MethodHead:
		if !a.o.Closed || slices.Contains(open, path) {
			return nil
		}
		decide = a.o.AuthorizeRead
	case http.MethodDelete:
		if !isKeptFeedback(path) { // to withdraw what one said is to send
			decide = a.o.AuthorizeAdmin
		}
	}
	if decide == nil {
		with := "--api-token or --admin-token"
		if method == http.MethodDelete {
			with = "--admin-token"
		}
		return telemetry.Errorf(telemetry.Forbidden, "this needs a token, and none is set that opens it; set one with %s", with)
	}
	_, err := decide(r.Header)
	return err
}
