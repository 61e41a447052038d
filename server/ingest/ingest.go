package ingest

import (
	"context"
	"log/slog"
	"net/http"
	"time"

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
	// Tokens opens the doors; the zero value lets everybody in.
	Tokens Tokens
	// MaxRequestBytes bounds a request after decompression, and as it comes;
	// 0 is DefaultMaxRequestBytes.
	MaxRequestBytes int64
	// InflightBytes bounds what all requests in flight hold together, as they
	// came and decompressed; 0 is DefaultInflightBytes. At least three times MaxRequestBytes is kept.
	InflightBytes int64
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
	tokens     Tokens
	max        int64
	seed       uint64
	instance   string
	retryAfter time.Duration
	logger     *slog.Logger
	budget     budget

	http, grpc counters
}

// New makes the doors.
func New(o Options) *Ingest {
	i := &Ingest{
		log: o.Log, tokens: o.Tokens, max: o.MaxRequestBytes, seed: o.Seed, instance: o.Instance,
		retryAfter: o.RetryAfter, logger: o.Logger,
	}
	if i.max <= 0 {
		i.max = DefaultMaxRequestBytes
	}
	if o.InflightBytes <= 0 {
		o.InflightBytes = DefaultInflightBytes
	}
	i.budget.open(max(o.InflightBytes, 3*i.max))
	if i.logger == nil {
		i.logger = slog.New(slog.DiscardHandler)
	}
	return i
}

// HTTP2 gives the HTTP/2 settings that the doors want of a server that carries
// gRPC: windows that hold a usual batch, so that a sender need not wait for an
// acknowledgement in the middle of it, and a bound on streams per connection.
func HTTP2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          250,
		MaxReceiveBufferPerConnection: 4 << 20,
		MaxReceiveBufferPerStream:     1 << 20,
		MaxReadFrameSize:              256 << 10,
		SendPingTimeout:               30 * time.Second,
		PingTimeout:                   15 * time.Second,
	}
}
