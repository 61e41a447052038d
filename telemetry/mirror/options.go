package mirror

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
)

// Words are the API in which a sink is told.
type Words string

// The APIs.
const (
	LangSmith Words = "langsmith"
	Langfuse  Words = "langfuse"
	Phoenix   Words = "phoenix"
)

// Sink is a backend that takes judgements.
type Sink struct {
	// Name tells sinks apart and names their files.
	Name  string
	Words Words
	// Base is the address of the API, without a slash at the end.
	Base string
	// Headers are sent with every request.
	Headers map[string]telemetry.Secret
	// Tenant is LangSmith's workspace, "" if not told; Project where runs are that
	// name none.
	Tenant, Project string
	// Timeout bounds one request; 30 s when 0.
	Timeout time.Duration
	// AlsoAs are further keys under which LangSmith is told of a judgement of
	// judgement.DefaultKey that did not come in its own words.
	AlsoAs []string
	// Strip takes out of a record of judgements what the sink is not to have; nil takes
	// out nothing. It gives body itself where nothing changes.
	Strip func(kind journal.Kind, body []byte) ([]byte, error)
	// Projects looks up LangSmith's projects, for the fields that its newer storage
	// wants; nil leaves them out. The caller closes it, after the Mirror's Stop.
	Projects *Projects
}

// Run is what is known of a run.
type Run struct {
	// ID is LangSmith's, a UUID.
	ID string
	// TraceID and SpanID are OpenTelemetry's, lower-case hexadecimal. Root tells that
	// the span has no parent, so that the run is the whole trace.
	TraceID, SpanID string
	Root            bool
	// Project is LangSmith's, "" if not told.
	Project string
	// Start is the zero time if not known.
	Start time.Time
}

// Resolver knows runs by any of their ids. It must answer soon, and be safe for
// concurrent use.
type Resolver interface {
	// Resolve gives the run that an id means; false while none is known.
	Resolve(ctx context.Context, id string) (Run, bool)
}

// Cursor is what an outbox needs of a journal cursor; *journal.Cursor is one, and
// documents the methods.
type Cursor interface {
	TryNext() (*journal.Record, error)
	Wake() <-chan struct{}
	Position() journal.Position
	Commit(journal.Position)
	Expired() (records, items, bytes uint64)
	Close()
}

// Options are what a Mirror needs. Dir, Open and Sinks are required.
type Options struct {
	// Dir is the data directory. Files are Dir/sinks/<name>.feedback.json and
	// <name>.feedback.dead.
	Dir string
	// Open makes a cursor that retention may overtake.
	Open  func(name string, from journal.Position) (Cursor, error)
	Sinks []Sink
	// Resolver is nil where no runs are known; then only ids that say themselves
	// which run they mean can be told.
	Resolver Resolver
	// GiveUp is how long a sink may not know the run of a judgement before that goes
	// to the dead letters; 24 h when 0.
	GiveUp time.Duration
	// Version is the program's, for the User-Agent.
	Version string
	// Instance is sent as Treq-Hop, by which a process knows its own requests when
	// they return; "" sends none.
	Instance string
	// Logger is told changes of state and what goes to the dead letters; nil is silence.
	Logger *slog.Logger
	// Proxy is as in http.Transport; nil uses none.
	Proxy func(*http.Request) (*url.URL, error)
	// Transport carries the requests; nil makes one that keeps connections alive.
	Transport http.RoundTripper
	// Random gives numbers in [0, 1) for jitter, from several goroutines; nil is
	// math/rand/v2.
	Random func() float64
}

const (
	defaultGiveUp  = 24 * time.Hour
	defaultTimeout = 30 * time.Second
)
