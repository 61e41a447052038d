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
			return &fault.Validation{Detail: []fault.FieldError{{
				Type: "int_range", Loc: []any{"query", "limit"},
				Msg: "Input should be a whole number from 1 to " + strconv.Itoa(mostListed), Input: quoted(text),
			}}}
		}
		limit = n
	}
	v, err := a.o.Runs.Recent(r.Context(), limit)
	if err != nil {
		return err
	}
	return a.replyPrivate(w, v)
}

// run shows one run.
func (a *API) run(w http.ResponseWriter, r *http.Request) error {
	if err := a.mayReadRuns(r); err != nil {
		return err
	}
	explain, err := a.explains(r)
	if err != nil {
		return err
	}
	v, err := a.o.Runs.Run(r.Context(), r.PathValue("run_id"), explain)
	if err != nil {
		return err
	}
	return a.replyPrivate(w, v)
}

func (a *API) explains(r *http.Request) (bool, error) {
	text, ok := parseQuery(r.URL.RawQuery)["explain"]
	if !ok {
		return false, nil
	}
	explain, err := strconv.ParseBool(text)
	if err != nil {
		return false, &fault.Validation{Detail: []fault.FieldError{{
			Type: "bool_parsing", Loc: []any{"query", "explain"},
			Msg: "Input should be a valid boolean, unable to interpret input", Input: quoted(text),
		}}}
	}
	return explain, nil
}

// mayReadRuns is nil for who may see what users asked and were answered: whoever
// shows a token where there are any, else whoever is on this machine, but no page
// of an origin that was not named. docs/api.md, section 3.
func (a *API) mayReadRuns(r *http.Request) error {
	if a.o.Runs == nil {
		return telemetry.Errorf(telemetry.NotFound, "no runs are shown here")
	}
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
func (a *API) replyPrivate(w http.ResponseWriter, v any) error {
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
