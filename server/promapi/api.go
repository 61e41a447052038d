package promapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"treq/server/history"
)

// Prefix is where the API begins.
const Prefix = "/prometheus/api/v1/"

// Rules gives what is evaluated. *rules.Manager is one.
type Rules interface {
	RuleGroups() []*rules.Group
}

// Options is what the API needs. Store is required.
type Options struct {
	Store *history.Store
	// Rules gives the rules; nil while there are none.
	Rules Rules
	// Ready is nil once the history goes on; until then everything but
	// status/buildinfo answers 503. Nil is always ready.
	Ready func() error
	// Version is the product's.
	Version string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// API answers below Prefix. It is safe for concurrent use.
type API struct {
	o      Options
	parser parser.Parser
}

// New makes the API.
func New(o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &API{o, history.Parser()}
}

// mostForm bounds the parameters of one request.
const mostForm = 1 << 20

// endpoint answers with data and warnings, or an error, which is bad_data unless it
// is a *failure.
type endpoint func(ctx context.Context, f form) (data any, warnings []string, err error)

// ServeHTTP answers GET and POST of the API's paths.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, Prefix)
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		respond(w, nil, nil, fail(badData, "error parsing form values: %w", err))
		return
	}
	serve, forwarded := a.endpoint(path)
	if serve == nil {
		respond(w, nil, nil, fail(notFound, "there is no %s here", path))
		return
	}
	if path != "status/buildinfo" && a.o.Ready != nil {
		if err := a.o.Ready(); err != nil {
			w.Header().Set("Retry-After", "1")
			respond(w, nil, nil, fail(unavailable, "%w", err))
			return
		}
	}
	if forwarded && a.o.Store.Remote() {
		if err := a.o.Store.Forward(w, r, path); err != nil {
			respond(w, nil, nil, fail(unavailable, "%w", err))
		}
		return
	}
	data, warnings, err := serve(r.Context(), form{r.Form})
	respond(w, data, warnings, err)
}

// endpoint gives what answers at a path, and whether a remote server answers there
// in its place.
func (a *API) endpoint(path string) (serve endpoint, forwarded bool) {
	switch path {
	case "query":
		return a.query, true
	case "query_range":
		return a.queryRange, true
	case "query_exemplars":
		return a.exemplars, true
	case "series":
		return a.series, true
	case "labels":
		return a.labelNames, true
	case "metadata":
		return a.metadata, true
	case "format_query":
		return a.formatQuery, false
	case "rules":
		return a.rules, false
	case "alerts":
		return a.alerts, false
	case "status/buildinfo":
		return a.buildInfo, false
	}
	if name, ok := strings.CutPrefix(path, "label/"); ok {
		if name, ok = strings.CutSuffix(name, "/values"); ok && name != "" {
			return func(ctx context.Context, f form) (any, []string, error) { return a.labelValues(ctx, f, name) }, true
		}
	}
	return nil, false
}

var errNoMatch = errors.New("no match[] parameter provided")
