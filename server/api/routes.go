package api

import (
	"net/http"
	"slices"
	"strings"

	"treq/server/fault"
	"treq/telemetry"
)

// Route is one address of the API.
type Route struct {
	// Method is GET or POST; a GET answers HEAD too.
	Method string
	// Path is a path, its variables in braces.
	Path string
	// About says in a few words what it answers.
	About string

	handle fault.Handler
}

// Routes lists every address, in the order in which the index page shows them.
func (a *API) Routes() []Route {
	routes := []Route{
		{"GET", "/", "the dashboard; to programs, this list", a.index},
		{"GET", "/monitoring/metrics", "all numbers; a scraper gets the exposition", a.getMetrics},
		{"GET", "/monitoring/stats/summary", "the summary; a scraper gets its gauges", a.getSummary},
		{"GET", "/monitoring/health", "whether this service answers", a.health},
		{"GET", "/monitoring/sinks", "where traces are forwarded to, and how that goes", a.sinks},
		{"GET", "/monitoring/chats/entries", "what counts as a chat, and what does not", a.chatEntries},
		{"GET", "/monitoring/models", "what each model did and cost", a.models},
		{"GET", "/monitoring/live", "the summary and changes of alerts as server-sent events", a.live},
		{"POST", "/monitoring/chat/metrics", "record a chat", a.post(chatPost)},
		{"POST", "/monitoring/rag/metrics", "record a search", a.post(ragPost)},
		{"POST", "/monitoring/llm/metrics", "record a model call", a.post(llmPost)},
		{"GET", "/metrics", "Prometheus and OpenMetrics", a.exposition},
		{"GET", "/healthz", "whether the process lives", a.alive},
		{"GET", "/livez", "whether the process lives", a.alive},
		{"GET", "/readyz", "whether it can do its work; ?verbose says more", a.ready},
	}
	return slices.Concat(routes, a.fleetRoutes(), a.openAPIRoutes(), a.historyRoutes(), a.runRoutes(), a.objectiveRoutes(), a.feedbackRoutes())
}

// mount puts the routes behind one handler a path, so that a wrong method is
// answered with the ones that work.
func (a *API) mount() {
	byPath := map[string]map[string]fault.Handler{}
	for _, r := range a.Routes() {
		if byPath[r.Path] == nil {
			byPath[r.Path] = map[string]fault.Handler{}
		}
		byPath[r.Path][r.Method] = r.handle
	}
	for path, methods := range byPath {
		allow := allowed(methods)
		pattern := path
		if strings.HasSuffix(path, "/") {
			pattern += "{$}"
		}
		a.mux.Handle(pattern, a.answer(func(w http.ResponseWriter, r *http.Request) error {
			method := r.Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			if h := methods[method]; h != nil {
				if err := a.mayUse(path, r); err != nil {
					return err
				}
				return h(w, r)
			}
			if method == http.MethodOptions {
				w.Header().Set("Allow", allow)
				w.WriteHeader(http.StatusNoContent)
				return nil
			}
			return &fault.MethodError{Allow: allow}
		}))
	}
	if a.o.Page != nil {
		a.mux.Handle("GET /assets/", a.o.Page)
	}
	a.mux.Handle("/", a.answer(func(_ http.ResponseWriter, r *http.Request) error {
		return telemetry.Errorf(telemetry.NotFound, "nothing is at %s; GET / lists the addresses", r.URL.Path)
	}))
}

// allowed gives the Allow header for these methods.
func allowed(methods map[string]fault.Handler) string {
	names := []string{http.MethodOptions}
	for m := range methods {
		names = append(names, m)
		if m == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// answer writes what a handler could not answer, and logs it where it is our fault.
func (a *API) answer(h fault.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		if fault.Of(err).Status == http.StatusInternalServerError {
			a.logger.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		fault.WriteProblem(w, err)
	})
}
