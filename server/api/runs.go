package api

import (
	"context"
	"net/http"
	"strconv"

	"treq/server/fault"
	"treq/telemetry"
)

// Runs shows single runs. The values encode as JSON exactly as they are to be
// answered. An error of kind NotFound says what was searched. Safe for concurrent
// use.
type Runs interface {
	// Recent lists the newest runs, at most limit of them; 0 lets it choose.
	Recent(ctx context.Context, limit int) (any, error)
	// Run gives the run that an id means; explain adds what each span counted for.
	Run(ctx context.Context, id string, explain bool) (any, error)
}

// runRoutes are the addresses of runs, none where no runs are shown.
func (a *API) runRoutes() []Route {
	if a.o.Runs == nil {
		return nil
	}
	return []Route{
		{"GET", "/monitoring/runs", "the newest runs", a.runs},
		{"GET", "/monitoring/runs/{run_id}", "one run as a tree; ?explain=1 says what each span counted for", a.run},
	}
}

// mostListed is the largest limit of a list of runs.
const mostListed = 200

// runs lists the newest runs.
func (a *API) runs(w http.ResponseWriter, r *http.Request) error {
	if err := a.mayReadRuns(r); err != nil {
		return err
	}
	limit := 0
	if text, ok := parseQuery(r.URL.RawQuery)["limit"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostListed {
			return telemetry.Errorf(telemetry.Unprocessable, "limit is a whole number from 1 to %d, not %.40q", mostListed, text)
		}
		limit = n
	}
	v, err := a.o.Runs.Recent(r.Context(), limit)
	if err != nil {
		return err
	}
	return replyPrivate(w, v)
}

// run shows one run.
func (a *API) run(w http.ResponseWriter, r *http.Request) error {
	if err := a.mayReadRuns(r); err != nil {
		return err
	}
	explain := false
	if text, ok := parseQuery(r.URL.RawQuery)["explain"]; ok {
		var unclear *fault.FieldError
		if explain, unclear = parseBool(value{text: text}); unclear != nil {
			return telemetry.Errorf(telemetry.Unprocessable, "explain is 1 or 0, not %.40q", text)
		}
	}
	v, err := a.o.Runs.Run(r.Context(), r.PathValue("run_id"), explain)
	if err != nil {
		return err
	}
	return replyPrivate(w, v)
}

// mayReadRuns is nil for who may see what users asked and were answered: whoever
// shows a token where there are any, else whoever is on this machine, but no page
// of an origin that was not named. docs/api.md, section 3.
func (a *API) mayReadRuns(r *http.Request) error {
	if a.o.AuthorizeRead != nil {
		_, err := a.o.AuthorizeRead(r.Header)
		return err
	}
	if !a.o.Hosts.Loopback {
		return telemetry.Errorf(telemetry.Forbidden,
			"runs hold what users asked and were answered: beyond loopback they are shown with a token only; set one with --api-token")
	}
	if origin := r.Header.Get("Origin"); origin != "" && !a.origins.allowed[origin] {
		return telemetry.Errorf(telemetry.Forbidden,
			"runs are not shown to pages of the origin %q; name it in CORS_ORIGINS, or set --api-token", origin)
	}
	return nil
}

// replyPrivate answers with v as JSON that nobody on the way may keep.
func replyPrivate(w http.ResponseWriter, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h["Content-Type"] = typeJSON
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // a client that went away has nothing to be told
	return nil
}
