package ingest

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"treq/server/access"
	"treq/telemetry/journal"
)

// The limits that Options' zero values mean.
const (
	DefaultMaxRequestBytes = 64 << 20
	DefaultInflightBytes   = 192 << 20
)

// Log is where requests are kept. Append returns once the entry is durable;
// its errors carry the kind that decides the answer.
type Log interface {
	Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error)
}

// Options is what the doors need. Log is required.
type Options struct {
	Log Log
	// Tokens opens the doors to those that may send; nil lets everybody in.
	Tokens *access.Tokens
	// MaxRequestBytes bounds a request after decompression, and as it comes;
	// 0 is DefaultMaxRequestBytes.
	MaxRequestBytes int64
	// InflightBytes bounds what all requests in flight hold together, as they
	// came and decompressed; 0 is DefaultInflightBytes. At least three times MaxRequestBytes is kept.
	InflightBytes int64
	// TokenBytesPerSecond is how many bytes, as they come, each token may send in a
	// second over ten of them; all that come without one share it. 0 is no limit.
	TokenBytesPerSecond int64
	// Seed makes the hashes of requests unpredictable; it must stay the same
	// over restarts on one data directory, or retries across one count twice.
	Seed uint64
	// Instance is this process's name in Treq-Hop; a request that bears it came
	// back and is refused. "" refuses none.
	Instance string
	// RetryAfter is the hint given when there is no room; 0 leaves it to the table of faults.
	RetryAfter time.Duration
	// Logger gets faults of our own; nil discards them.
	Logger *slog.Logger
}

// Ingest is the doors. All methods are safe for concurrent use.
type Ingest struct {
	log        Log
	tokens     *access.Tokens
	max        atomic.Int64
	seed       uint64
	instance   string
	retryAfter time.Duration
	logger     *slog.Logger
	budget     budget
	quota      quota

	http, grpc, langsmith counters
}

// New makes the doors.
func New(o Options) *Ingest {
	i := &Ingest{
		log: o.Log, tokens: o.Tokens, seed: o.Seed, instance: o.Instance,
		retryAfter: o.RetryAfter, logger: o.Logger,
	}
	i.budget.decoding.total = decodedAtOnce
	i.budget.counting.total = max(1, int64(runtime.GOMAXPROCS(0))/2)
	if i.tokens == nil {
		i.tokens = &access.Tokens{}
	}
	i.Limit(o.MaxRequestBytes, o.InflightBytes)
	i.quota.now = time.Now
	i.Quota(o.TokenBytesPerSecond)
	if i.logger == nil {
		i.logger = slog.New(slog.DiscardHandler)
	}
	return i
}

// Limit sets the two bounds of Options, also while requests are in flight: what
// they hold stays theirs, and they end by the bounds that they began with.
func (i *Ingest) Limit(maxRequestBytes, inflightBytes int64) {
	if maxRequestBytes <= 0 {
		maxRequestBytes = DefaultMaxRequestBytes
	}
	if inflightBytes <= 0 {
		inflightBytes = DefaultInflightBytes
	}
	i.max.Store(maxRequestBytes)
	i.budget.resize(max(inflightBytes, 3*maxRequestBytes))
}

// Quota sets Options.TokenBytesPerSecond anew; everybody begins with what may be
// saved up.
func (i *Ingest) Quota(tokenBytesPerSecond int64) { i.quota.set(tokenBytesPerSecond) }

// HTTP2 gives the HTTP/2 settings that the doors want of a server that carries
// gRPC: windows that hold a usual batch, so that a sender need not wait for an
// acknowledgement in the middle of it, and a bound on streams per connection.
func HTTP2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          128,
		MaxReceiveBufferPerConnection: 4 << 20,
		MaxReceiveBufferPerStream:     1 << 20,
		MaxReadFrameSize:              256 << 10,
		// Who is silent is asked, and gone 25 s after the last word.
		SendPingTimeout: 15 * time.Second,
		PingTimeout:     10 * time.Second,
	}
}
