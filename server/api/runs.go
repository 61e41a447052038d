package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"treq/server/fault"
	"treq/telemetry"
)

// Runs shows single runs. The values encode as JSON exactly as they are to be
// answered. An error of kind NotFound says what was searched. Safe for concurrent
// use.
type Runs interface {
	// List lists the runs that a query asks for; an error of kind Unprocessable says
	// what is wrong with it.
	List(ctx context.Context, q RunsQuery) (any, error)
	// Erase overwrites the content of the run that an id means, EraseUser that of every
	// run of a user; what was counted stays counted.
	Erase(ctx context.Context, id string) (any, error)
	EraseUser(ctx context.Context, user string) (any, error)
	// Run gives the run that an id means; explain adds what each span counted for.
	Run(ctx context.Context, id string, explain bool) (any, error)
}

// RunsQuery says which runs are listed, and in which order. Fields that are zero ask
// for nothing; docs/api.md, section 2, says what each means.
type RunsQuery struct {
	Limit                              int // 1 to 200; 0 lets the list choose
	Text                               string
	Service, Model, User, Conversation string
	Outcome, Feedback                  string
	SimilarityBelow                    *float64
	From, To                           time.Time
	Sort, Cursor                       string
}

// runRoutes are the addresses of runs, none where no runs are shown.
func (a *API) runRoutes() []Route {
	if a.o.Runs == nil {
		return nil
	}
	return []Route{
		{"GET", "/monitoring/runs", "the runs: ?q, service, model, outcome, user, conversation, feedback, similarity_below, from, to, sort, limit, cursor", a.runs},
		{"GET", "/monitoring/runs/{run_id}", "one run as a tree; ?explain=1 says what each span counted for", a.run},
		{"DELETE", "/monitoring/runs/{run_id}", "erase what a run's spans say; numbers stay", a.eraseRun},
		{"DELETE", "/monitoring/runs", "erase what is said in every run of a ?user", a.eraseUser},
	}
}

// mostListed is the largest limit of a list of runs.
const mostListed = 200

// runs lists the newest runs.
func (a *API) runs(w http.ResponseWriter, r *http.Request) error {
	if err := a.mayReadRuns(r); err != nil {
		return err
	}
	q, err := runsQuery(parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	v, err := a.o.Runs.List(r.Context(), q)
	if err != nil {
		return err
	}
	return replyPrivate(w, v)
}

// runsQuery reads the parameters of a list; empty ones ask for nothing, as forms send
// them, but for the limit.
func runsQuery(parameters map[string]string) (q RunsQuery, err error) {
	if text, ok := parameters["limit"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostListed {
			return q, telemetry.Errorf(telemetry.Unprocessable, "limit is a whole number from 1 to %d, not %.40q", mostListed, text)
		}
		q.Limit = n
	}
	for name, to := range map[string]*string{
		"q": &q.Text, "service": &q.Service, "model": &q.Model, "user": &q.User, "conversation": &q.Conversation,
		"outcome": &q.Outcome, "feedback": &q.Feedback, "sort": &q.Sort, "cursor": &q.Cursor,
	} {
		if *to = parameters[name]; len(*to) > maxText {
			return q, telemetry.Errorf(telemetry.Unprocessable, "%s is longer than %d bytes", name, maxText)
		}
	}
	for name, to := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		if text := parameters[name]; text != "" {
			if *to, err = time.Parse(time.RFC3339Nano, text); err != nil {
				return q, telemetry.Errorf(telemetry.Unprocessable, "%s is a time such as 2026-01-31T12:00:00Z, not %.40q", name, text)
			}
		}
	}
	if text := parameters["similarity_below"]; text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n <= 1) {
			return q, telemetry.Errorf(telemetry.Unprocessable, "similarity_below is a number from 0 to 1, not %.40q", text)
		}
		q.SimilarityBelow = &n
	}
	return q, nil
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
	if a.o.RunElsewhere != nil && telemetry.KindOf(err) == telemetry.NotFound && r.Header.Get(a.o.HeaderAsked) == "" {
		v, err = a.o.RunElsewhere(r.Context(), r.PathValue("run_id"), explain)
	}
	if err != nil {
		return err
	}
	return replyPrivate(w, v)
}

// eraseRun overwrites the content of a run.
func (a *API) eraseRun(w http.ResponseWriter, r *http.Request) error {
	v, err := a.o.Runs.Erase(r.Context(), r.PathValue("run_id"))
	if err != nil {
		return err
	}
	return replyPrivate(w, v)
}

// eraseUser overwrites the content of a user's runs.
func (a *API) eraseUser(w http.ResponseWriter, r *http.Request) error {
	user := parseQuery(r.URL.RawQuery)["user"]
	if user == "" {
		return telemetry.Errorf(telemetry.Unprocessable, "name whose runs are to be erased: ?user=ID")
	}
	v, err := a.o.Runs.EraseUser(r.Context(), user)
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
