package history

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// The defaults of Options.
const (
	DefaultStep     = 15 * time.Second
	DefaultKeep     = 15 * 24 * time.Hour
	DefaultMaxBytes = 512 << 20
	// DefaultTimeout ends a query.
	DefaultTimeout = 30 * time.Second
	// DefaultMaxSamples is how many samples a query may hold at once; each takes 16
	// bytes, and its series some more.
	DefaultMaxSamples = 2_000_000
)

// Job is the label "job" of what this process samples of itself.
const Job = "treq-telemetry"

// Options configures a Store. Dir is required.
type Options struct {
	// Dir holds the database; it is made. Nobody else may use it meanwhile.
	Dir string
	// Instance is the label "instance" of the samples. It must stay the same over
	// restarts on one data directory, so that counters go on.
	Instance string
	// Step is the time between two samples; 0 is DefaultStep.
	Step time.Duration
	// Keep is how long samples are kept at least, by blocks of hours; 0 is DefaultKeep.
	Keep time.Duration
	// MaxBytes is the most that the database takes before the oldest blocks go; 0 is
	// DefaultMaxBytes.
	MaxBytes int64
	// Timeout ends a query; 0 is DefaultTimeout. MaxSamples bounds what it holds; 0
	// is DefaultMaxSamples.
	Timeout    time.Duration
	MaxSamples int
	// Remote answers the queries instead, if it has a URL.
	Remote RemoteOptions
	// RemoteWrite is given every sample too, if it has a URL.
	RemoteWrite RemoteWriteOptions
	// Logger gets faults; nil discards them.
	Logger *slog.Logger
	// Now is the machine's clock, whose times have monotonic readings; nil is time.Now.
	Now func() time.Time
}

func (o *Options) complete() {
	if o.Step == 0 {
		o.Step = DefaultStep
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxSamples == 0 {
		o.MaxSamples = DefaultMaxSamples
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// lookback is how old a sample may be that still stands for the present: five
// minutes as in Prometheus, longer where samples are far apart.
func (o *Options) lookback() time.Duration { return max(5*time.Minute, 3*o.Step) }

// concurrent is how many queries of callers run at once: half of the processors, so
// that the others go on receiving.
func concurrent() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// Parser reads PromQL as this package understands it, for those who check
// expressions before they are run. It is safe for concurrent use.
func Parser() parser.Parser { return parser.NewParser(parser.Options{}) }
