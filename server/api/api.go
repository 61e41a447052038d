package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"treq/telemetry/journal"
)

// Log is where posts are kept. Append returns once the entry is durable.
type Log interface {
	Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error)
}

// Meter counts what the log admitted. Its methods are safe for concurrent use.
type Meter interface {
	// WaitCounted returns nil once everything before a position is counted, else
	// the error of ctx.
	WaitCounted(ctx context.Context, end journal.Position) error
	// Ready is nil when the replay of the log is done and the documents are true;
	// else it says how far it is, in words for the client.
	Ready() error
	// Version grows whenever a post was counted, so that no rendering from before outlives it.
	Version() uint64
}

// Documents makes the guide's two documents. The values encode as JSON exactly as
// they are to be answered. A service that was never seen gives zeros. Safe for
// concurrent use.
type Documents interface {
	Metrics(ctx context.Context, n Narrow) (any, error)
	Summary(ctx context.Context, n Narrow) (any, error)
}

// Check is one condition of readiness.
type Check struct {
	// Name is a short word, such as "journal".
	Name string
	// Err is nil while the condition holds; its text is shown. It must not block.
	Err func() error
}

// Options is what the API needs. Log, Meter and Documents are required.
type Options struct {
	Log       Log
	Meter     Meter
	Documents Documents
	// Exposition answers GET /metrics and every scrape of /monitoring/metrics;
	// SummaryExposition every scrape of /monitoring/stats/summary. A nil one answers 404.
	Exposition, SummaryExposition http.Handler
	// Sinks and ChatEntries give what GET /monitoring/sinks lists as "sinks" and
	// GET /monitoring/chats/entries as "entries": slices that encode as JSON. Nil
	// functions and nil slices list nothing.
	Sinks, ChatEntries func() any
	// Models makes what GET /monitoring/models answers; nil answers 404.
	Models func(ctx context.Context, n Narrow) (any, error)
	// Window gives from when on to count for a trailing window, as precisely as the
	// history knows; zero where everything that was counted lies within it. A window
	// that it cannot give is an error of kind Unprocessable. Nil has no windows.
	Window func(ctx context.Context, window time.Duration) (from time.Time, err error)
	// History answers GET /monitoring/history; nil answers 404.
	History History
	// PromQL answers below /prometheus/api/v1/, in the shapes of Prometheus; nil
	// answers 404.
	PromQL http.Handler
	// Objectives answers GET /monitoring/kpis and /monitoring/alerts; nil answers 404.
	Objectives Objectives
	// Health says how the service is, in detail if verbose; nil is always well.
	Health func(ctx context.Context, verbose bool) Health
	// Page is shown at / to whoever reads pages, with what it needs below /assets/; nil
	// has the list of addresses only.
	Page http.Handler
	// Shapes are of the documents that the functions here make, for the description.
	Shapes Shapes
	// Stopping is closed when the service begins to stop: live streams end then. Nil
	// lets them end with their readers only.
	Stopping <-chan struct{}
	// Runs shows single runs; nil shows none.
	Runs Runs
	// RunElsewhere asks the other replicas for a run that Runs does not have; a request
	// that bears HeaderAsked is one of theirs and asks nobody. Nil asks nobody.
	RunElsewhere func(ctx context.Context, id string, explain bool) (any, error)
	// HeaderAsked is the name of that header.
	HeaderAsked string
	// Fleet makes what GET /monitoring/fleet answers; nil answers 404.
	Fleet func(ctx context.Context) (any, error)
	// Feedback takes judgements of runs, FeedbackTokens lets pages send them, and
	// FeedbackStats tells of those of a service ("" for all) and key how they came
	// out. A nil one takes none, makes none, answers 404.
	Feedback       Feedback
	FeedbackTokens FeedbackTokens
	FeedbackStats  func(ctx context.Context, service, key string) (any, error)
	// Instance is this process's name in Treq-Hop; a judgement that bears it came
	// back and is refused. "" refuses none.
	Instance string
	// Checks are the conditions of readiness besides the meter's.
	Checks []Check
	// Notices are sentences that /readyz?verbose shows and that change nothing,
	// such as that the data directory lives in memory. May be nil.
	Notices func() []string

	// OTLP takes the requests of which IsOTLP is true, with authorization of its
	// own; nil for none.
	OTLP   http.Handler
	IsOTLP func(*http.Request) bool
	// GRPC takes gRPC requests over HTTP/2; nil for none.
	GRPC http.Handler

	// Authorize decides over requests that record something; nil lets all in.
	// The scope tells idempotency keys of different callers apart.
	Authorize func(http.Header) (scope uint64, err error)
	// AuthorizeRead decides over requests for runs; nil lets whoever is on this
	// machine, and nobody else, see them.
	AuthorizeRead func(http.Header) (scope uint64, err error)
	// AuthorizeAdmin decides over requests that destroy; nil lets none in.
	AuthorizeAdmin func(http.Header) (scope uint64, err error)
	// Closed lets AuthorizeRead decide over the numbers too. Only the addresses
	// that tell nothing, the probes among them, stay open.
	Closed bool
	// Origins are those that may read answers and send state-changing requests
	// from a browser, such as "http://localhost:3000"; "*" lets all read and none write.
	Origins []string
	// Hosts decides which names are served.
	Hosts Hosts
	// Seed makes the hashes of idempotency keys unpredictable; the same over restarts.
	Seed uint64
	// Version of the product, for the index page.
	Version string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger gets faults of our own; nil discards them.
	Logger *slog.Logger
}

// API answers HTTP on the one port. Safe for concurrent use.
type API struct {
	o       Options
	mux     *http.ServeMux
	origins *origins
	logger  *slog.Logger
	now     func() time.Time
	metrics rendering
	summary rendering
	streams atomic.Int64 // live ones
	posts   struct{ requests, items, bytes atomic.Int64 }

	description func() ([]byte, error) // made once
}

// New makes the API. It fails on an origin that is none.
func New(o Options) (*API, error) {
	a := &API{o: o, mux: http.NewServeMux(), logger: o.Logger, now: o.Now}
	if a.logger == nil {
		a.logger = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if o.Authorize == nil {
		a.o.Authorize = func(http.Header) (uint64, error) { return 0, nil }
	}
	var err error
	if a.origins, err = newOrigins(o.Origins); err != nil {
		return nil, err
	}
	a.description = sync.OnceValues(a.describe)
	a.mount()
	return a, nil
}
