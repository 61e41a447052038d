package export

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"treq/telemetry"
)

// The protocols.
const (
	// Protobuf is OTLP over HTTP, in protobuf: the default but for profile langsmith.
	Protobuf = "http/protobuf"
	// JSON is OTLP over HTTP, in JSON, which costs a decoding and encoding of every span.
	JSON = "http/json"
	// GRPC is OTLP over gRPC: with TLS where the endpoint begins with https. Of the endpoint
	// it takes host and port.
	GRPC = "grpc"
	// Native is LangSmith's own run protocol for what came in it, and OTLP over HTTP for
	// what came as that: the default of profile langsmith.
	Native = "native"
)

// Compression says how requests are compressed.
type Compression string

// The compressions.
const (
	// Gzip passes clients' gzip on as it is, member after member where the sink
	// reads all of them, and compresses the rest at the fastest level. A sink is
	// asked once in a process's life, with an empty and a broken request.
	Gzip Compression = "gzip"
	// None sends requests as they are.
	None Compression = "none"
)

// Redact says whether a sink gets what redaction leaves.
type Redact string

// Whether it does.
const (
	RedactOn  Redact = "on"
	RedactOff Redact = "off"
)

// Content says whether a sink gets what people and models wrote.
type Content string

// Whether it does.
const (
	ContentKeep Content = "keep"
	ContentNone Content = "none" // the words go, every number stays
)

// Enrich says whether spans get what the backend would miss of them.
type Enrich string

// Whether they do.
const (
	EnrichOn  Enrich = "on"
	EnrichOff Enrich = "off"
)

// OverBudget says what becomes of what is more than an hour may have.
type OverBudget string

// What becomes of it.
const (
	// OverBudgetWait leaves it in the journal until there is room.
	OverBudgetWait OverBudget = "wait"
	// OverBudgetSample leaves out whole traces, the least valuable first.
	OverBudgetSample OverBudget = "sample"
)

// MaxRequestBytes is the most that one request holds before compression, the
// limit of LangSmith's own clients. What does not fit is split, never cut.
const MaxRequestBytes = 20 << 20

// Config describes one sink as users write it. The zero value of every field
// but Name and Endpoint means the default that its comment names.
type Config struct {
	// Name tells sinks apart and names their files: 1 to 64 lower-case letters,
	// digits, "-" and "_", starting with a letter or digit.
	Name string `yaml:"name" json:"name"`
	// Profile is what the sink is: langsmith, langfuse, phoenix, opik, braintrust, honeycomb,
	// datadog, grafana-cloud or otlp, the default.
	Profile string `yaml:"profile" json:"profile"`
	// Protocol is Protobuf, JSON, GRPC or Native, as far as the profile speaks it; the default
	// is the profile's.
	Protocol string `yaml:"protocol" json:"protocol"`
	// Endpoint is the URL that traces are posted to. Every profile but otlp completes it with
	// where its backend takes them: langsmith takes the value of LANGSMITH_ENDPOINT.
	Endpoint string `yaml:"endpoint" json:"endpoint"`
	// APIKey is sent where and as the profile says (langsmith: x-api-key; langfuse: the public
	// and the secret key with a colon between). Profile otlp has no place for it: use Headers.
	APIKey telemetry.Secret `yaml:"api_key" json:"api_key"`
	// Headers are sent with every request. All values count as secret.
	Headers map[string]telemetry.Secret `yaml:"headers" json:"headers"`
	// TLS is for endpoints that begin with https.
	TLS TLS `yaml:"tls" json:"tls"`
	// Compression is gzip, the default, or none. Native runs go in zstd where LangSmith reads it.
	Compression Compression `yaml:"compression" json:"compression"`
	// Timeout bounds one request, 1 ms to 10 min. The default is the profile's:
	// 30 s for langsmith, 10 s for otlp.
	Timeout time.Duration `yaml:"timeout" json:"timeout"`
	// Delay is how long a span waits for company before it is sent, up to 1 min.
	// The default is 200 ms.
	Delay time.Duration `yaml:"delay" json:"delay"`
	// BatchBytes closes a batch, before compression: 1 KiB to MaxRequestBytes.
	// The default is 4 MiB. A single larger record is still sent as one request.
	BatchBytes int `yaml:"batch_bytes" json:"batch_bytes"`
	// BatchSpans closes a batch: 1 to 1,000,000, default 8192.
	BatchSpans int `yaml:"batch_spans" json:"batch_spans"`
	// MaxInFlight is how many requests run at once: 1 to 64. With 1, the default,
	// spans leave in the order they came; more trade order for throughput.
	MaxInFlight int `yaml:"max_in_flight" json:"max_in_flight"`
	// Project is where spans go that name none themselves (langsmith: the header
	// Langsmith-Project). "" leaves it to the backend.
	Project string `yaml:"project" json:"project"`
	// Tenant is the workspace of spans that came with none (langsmith: x-tenant-id).
	Tenant string `yaml:"tenant" json:"tenant"`
	// DeadLetterBytes bounds the dead-letter file, the oldest go first: 4 KiB to
	// 64 GiB. The default is 64 MiB.
	DeadLetterBytes int64 `yaml:"dead_letter_bytes" json:"dead_letter_bytes"`
	// Sample is the share of traces that are sent, above 0 to 1, always whole ones and by
	// the trace's id, so that other sinks and processes choose the same. The default is 1.
	Sample float64 `yaml:"sample" json:"sample"`
	// OnlyServices and OnlyAttributes send traces alone of which a span is of one of the
	// services and has, itself or its resource, one of the values of each attribute.
	// ExceptServices and ExceptAttributes leave out the traces of which they hold. What
	// comes of a trace first decides over all of it. Empty ones hold of none.
	OnlyServices     []string            `yaml:"only_services" json:"only_services"`
	OnlyAttributes   map[string][]string `yaml:"only_attributes" json:"only_attributes"`
	ExceptServices   []string            `yaml:"except_services" json:"except_services"`
	ExceptAttributes map[string][]string `yaml:"except_attributes" json:"except_attributes"`
	// RequestsPerHour, SpansPerHour and BytesPerHour, before compression, bound what any
	// hour sends, a twelfth of it at once; a request that is tried again counts again. 0 is
	// no bound.
	RequestsPerHour int64 `yaml:"requests_per_hour" json:"requests_per_hour"`
	SpansPerHour    int64 `yaml:"spans_per_hour" json:"spans_per_hour"`
	BytesPerHour    int64 `yaml:"bytes_per_hour" json:"bytes_per_hour"`
	// OverBudget is wait, the default, or sample, by spans and bytes.
	OverBudget OverBudget `yaml:"over_budget" json:"over_budget"`
	// Enrich is on, the default, or off: whether spans are also told in the words that the
	// profile's backend reads, where they miss them. What misses nothing leaves as it came.
	Enrich Enrich `yaml:"enrich" json:"enrich"`
	// Redact is on or off, whatever redact.at says; "" leaves it to that.
	Redact Redact `yaml:"redact" json:"redact"`
	// Content is keep or none, whatever redact.content says; "" leaves it to that. What
	// went at the door does not come back.
	Content Content `yaml:"content" json:"content"`
	// Feedback says whether the sink is told of judgements of runs: on, off, or the
	// words to tell them in; see [Feedback] for the default.
	Feedback Feedback `yaml:"feedback" json:"feedback"`
}

var sinkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// reserved are the headers the sender sets itself.
var reserved = []string{
	"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Host",
	"Transfer-Encoding", "Treq-Hop", "User-Agent",
}

// Validate names every fault: each message starts with the key, as in
// "sinks.langsmith.timeout: …", and never shows a secret. It is nil for a
// usable configuration, else a join of *telemetry.Error of kind Unprocessable.
func (c Config) Validate() error {
	var faults []error
	at := func(key, format string, args ...any) {
		name := c.Name
		if !sinkName.MatchString(name) {
			name = fmt.Sprintf("%q", name)
		}
		faults = append(faults, telemetry.Errorf(telemetry.Unprocessable,
			"sinks.%s.%s: %s", name, key, fmt.Sprintf(format, args...)))
	}
	if !sinkName.MatchString(c.Name) {
		at("name", `must be 1 to 64 of a-z, 0-9, "-" and "_", starting with a letter or digit`)
	}
	p, known := profiles[c.profileName()]
	if !known {
		at("profile", "%q is not known; known are %s", c.Profile, strings.Join(profileNames(), ", "))
	}
	if known && c.Protocol != "" && !slices.Contains(p.protocols, c.Protocol) {
		at("protocol", "%q is not one of profile %s, which speaks %s", c.Protocol, p.name, strings.Join(p.protocols, ", "))
	}
	if _, err := c.target(); err != nil {
		at("endpoint", "%v", err)
	}
	if known && !c.APIKey.IsZero() && p.keyHeader == "" {
		at("api_key", "profile %s has no place for a key; write it into headers", p.name)
	}
	c.validateHeaders(p, at)
	if c.Compression != "" && c.Compression != Gzip && c.Compression != None {
		at("compression", `%q is not supported; supported are "gzip" and "none"`, string(c.Compression))
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		at("tls", "certificate and key belong together")
	}
	within(at, "timeout", c.Timeout, time.Millisecond, 10*time.Minute)
	within(at, "delay", c.Delay, 0, time.Minute)
	within(at, "batch_bytes", c.BatchBytes, 1<<10, MaxRequestBytes)
	within(at, "batch_spans", c.BatchSpans, 1, 1_000_000)
	within(at, "max_in_flight", c.MaxInFlight, 1, 64)
	within(at, "dead_letter_bytes", c.DeadLetterBytes, 4<<10, 64<<30)
	c.validateFeedback(at)
	if !(c.Sample >= 0 && c.Sample <= 1) {
		at("sample", "%v is not above 0 and at most 1", c.Sample)
	}
	within(at, "requests_per_hour", c.RequestsPerHour, 1, math.MaxInt64)
	within(at, "spans_per_hour", c.SpansPerHour, 1, math.MaxInt64)
	within(at, "bytes_per_hour", c.BytesPerHour, 1, math.MaxInt64)
	switch c.OverBudget {
	case "", OverBudgetWait:
	case OverBudgetSample:
		if c.SpansPerHour == 0 && c.BytesPerHour == 0 {
			at("over_budget", "there is nothing to sample by: set spans_per_hour or bytes_per_hour")
		}
	default:
		at("over_budget", `%q is not known; known are "wait" and "sample"`, string(c.OverBudget))
	}
	if c.Enrich != "" && c.Enrich != EnrichOn && c.Enrich != EnrichOff {
		at("enrich", `%q is not known; known are "on" and "off"`, string(c.Enrich))
	}
	if c.Redact != "" && c.Redact != RedactOn && c.Redact != RedactOff {
		at("redact", `%q is not known; known are "on" and "off"`, string(c.Redact))
	}
	if c.Content != "" && c.Content != ContentKeep && c.Content != ContentNone {
		at("content", `%q is not known; known are "keep" and "none"`, string(c.Content))
	}
	if !httpguts.ValidHeaderFieldValue(c.Project) {
		at("project", "holds characters that a header cannot carry")
	}
	if !httpguts.ValidHeaderFieldValue(c.Tenant) {
		at("tenant", "holds characters that a header cannot carry")
	}
	return errors.Join(faults...)
}

func (c Config) validateHeaders(p profile, at func(key, format string, args ...any)) {
	names := make([]string, 0, len(c.Headers))
	for name := range c.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	seen := map[string]string{}
	for _, name := range names {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			at("headers", "%q is not a header name", name)
		case slices.Contains(reserved, canonical):
			at("headers."+name, "is set by the sender and cannot be configured")
		case !httpguts.ValidHeaderFieldValue(c.Headers[name].Reveal()):
			at("headers."+name, "holds characters that a header cannot carry")
		case seen[canonical] != "":
			at("headers."+name, "stands twice, also as %q", seen[canonical])
		case p.keyHeader != "" && canonical == http.CanonicalHeaderKey(p.keyHeader) && !c.APIKey.IsZero():
			at("headers."+name, "is also told by api_key")
		}
		seen[canonical] = name
	}
	if !httpguts.ValidHeaderFieldValue(c.APIKey.Reveal()) {
		at("api_key", "holds characters that a header cannot carry")
	}
}

// within refuses a value that is neither 0, the default, nor between low and high.
func within[T int | int64 | time.Duration](at func(key, format string, args ...any), key string, v, low, high T) {
	if v != 0 && (v < low || v > high) {
		at(key, "%v is not between %v and %v", v, low, high)
	}
}

// WithDefaults gives the configuration that is in force: every field that was
// left at zero is what its comment promises, and the endpoint is complete.
func (c Config) WithDefaults() Config {
	c.Profile = c.profileName()
	p := profiles[c.Profile]
	if u, err := c.target(); err == nil {
		c.Endpoint = u.String()
	}
	orDefault(&c.Protocol, c.protocol())
	orDefault(&c.Compression, Gzip)
	orDefault(&c.Timeout, p.timeout)
	orDefault(&c.Delay, 200*time.Millisecond)
	orDefault(&c.BatchBytes, 4<<20)
	orDefault(&c.BatchSpans, 8192)
	orDefault(&c.MaxInFlight, 1)
	orDefault(&c.DeadLetterBytes, 64<<20)
	orDefault(&c.Sample, 1)
	orDefault(&c.OverBudget, OverBudgetWait)
	orDefault(&c.Enrich, EnrichOn)
	return c
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) profileName() string {
	if c.Profile == "" {
		return "otlp"
	}
	return c.Profile
}

// protocol is the default. An address that is not LangSmith's own for OTLP may be that
// of something that takes OTLP in its place, and no runs.
func (c Config) protocol() string {
	p := profiles[c.Profile]
	if p.protocols[0] == Native && !strings.HasSuffix(strings.TrimRight(c.Endpoint, "/"), "/otel/v1/traces") {
		return Protobuf
	}
	return p.protocols[0]
}

// target is the URL that requests go to. Its errors show no part of the
// endpoint, which may hold a password.
func (c Config) target() (*url.URL, error) {
	if c.Endpoint == "" {
		return nil, errors.New("is missing")
	}
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must start with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("names no host")
	}
	u.Fragment = ""
	if p, ok := profiles[c.profileName()]; ok && p.join != nil && c.Protocol != GRPC {
		u.Path = p.join(u.Path)
		u.RawPath = ""
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// shownEndpoint is the endpoint without what may be secret: user, password,
// query.
func (c Config) shownEndpoint() string {
	u, err := c.target()
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	return u.String()
}
