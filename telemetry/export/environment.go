package export

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"treq/telemetry"
)

// Warning is something in the environment that was not done as its author may
// have meant. It shows no secret.
type Warning struct {
	// Sink is the sink concerned, "" if none came of it.
	Sink    string
	Message string
}

// String gives the message behind the sink's name.
func (w Warning) String() string {
	if w.Sink == "" {
		return w.Message
	}
	return "sink " + w.Sink + ": " + w.Message
}

// FromEnvironment reads the sinks that environment variables describe, as the
// tools that own the variables do: "langsmith" from LANGSMITH_* and LANGCHAIN_*,
// "otlp" from OTEL_EXPORTER_OTLP_*. TREQ_LANGSMITH_ENDPOINT goes before
// LANGSMITH_ENDPOINT, for an application that shares the environment and must
// send to this process instead. getenv is os.Getenv or a stand-in. The result
// is usable: what would not validate is left out with a warning.
func FromEnvironment(getenv func(string) string) ([]Config, []Warning) {
	env := environment{getenv: getenv}
	var configs []Config
	for _, read := range []func() (Config, bool){env.langSmith, env.otlp} {
		c, ok := read()
		if !ok {
			continue
		}
		if err := c.Validate(); err != nil {
			env.warn(c.Name, "not used: %v", err)
			continue
		}
		configs = append(configs, c)
	}
	return configs, env.warnings
}

type environment struct {
	getenv   func(string) string
	warnings []Warning
}

func (e *environment) warn(sink, format string, args ...any) {
	e.warnings = append(e.warnings, Warning{Sink: sink, Message: fmt.Sprintf(format, args...)})
}

// first gives the first variable that is not blank, without the quotes that
// some .env loaders leave in place.
func (e *environment) first(names ...string) string {
	for _, name := range names {
		v := strings.TrimSpace(e.getenv(name))
		if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
			v = strings.TrimSpace(v[1 : len(v)-1])
		}
		if v != "" {
			return v
		}
	}
	return ""
}

// langChain looks each name up as LANGSMITH_<name>, then as LANGCHAIN_<name>.
func (e *environment) langChain(names ...string) string {
	for _, name := range names {
		if v := e.first("LANGSMITH_"+name, "LANGCHAIN_"+name); v != "" {
			return v
		}
	}
	return ""
}

func (e *environment) langSmith() (Config, bool) {
	if !strings.EqualFold(e.langChain("TRACING_V2", "TRACING"), "true") {
		return Config{}, false
	}
	key := e.langChain("API_KEY")
	if key == "" {
		e.warn("", "LangSmith tracing is on and LANGSMITH_API_KEY (or LANGCHAIN_API_KEY) is not set: traces are not forwarded to LangSmith")
		return Config{}, false
	}
	endpoint := e.first("TREQ_LANGSMITH_ENDPOINT")
	if endpoint == "" {
		endpoint = e.langChain("ENDPOINT")
	}
	if endpoint == "" {
		endpoint = "https://api.smith.langchain.com"
	}
	project := e.first("HOSTED_LANGSERVE_PROJECT_NAME")
	if project == "" {
		project = e.langChain("PROJECT", "SESSION")
	}
	if project == "" {
		project = "default"
	}
	for _, name := range []string{"HIDE_INPUTS", "HIDE_OUTPUTS", "HIDE_METADATA"} {
		if strings.EqualFold(e.langChain(name), "true") {
			e.warn("langsmith", "LANGSMITH_%s hides nothing here: it works in the application; what the application sends is forwarded as it is", name)
		}
	}
	if rate := e.langChain("TRACING_SAMPLING_RATE"); rate != "" && rate != "1" && rate != "1.0" {
		e.warn("langsmith", "LANGSMITH_TRACING_SAMPLING_RATE is not applied here: all traces are forwarded")
	}
	if e.langChain("RUNS_ENDPOINTS") != "" {
		e.warn("langsmith", "LANGSMITH_RUNS_ENDPOINTS is not read: write further sinks into the configuration file")
	}
	return Config{
		Name:     "langsmith",
		Profile:  "langsmith",
		Endpoint: strings.TrimRight(endpoint, "/"),
		APIKey:   telemetry.NewSecret(key),
		Project:  project,
		Tenant:   e.langChain("WORKSPACE_ID"),
	}, true
}

// otelVariable looks a variable up for traces first, then for all signals.
func (e *environment) otelVariable(name string) string {
	return e.first("OTEL_EXPORTER_OTLP_TRACES_"+name, "OTEL_EXPORTER_OTLP_"+name)
}

func (e *environment) otlp() (Config, bool) {
	protocol := e.otelVariable("PROTOCOL")
	endpoint := e.first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if endpoint == "" {
		base := e.first("OTEL_EXPORTER_OTLP_ENDPOINT")
		if base == "" {
			return Config{}, false
		}
		if endpoint = base; protocol != GRPC {
			endpoint = strings.TrimRight(base, "/") + "/v1/traces"
		}
	}
	if strings.EqualFold(e.first("OTEL_SDK_DISABLED"), "true") {
		return Config{}, false
	}
	if exporters := e.first("OTEL_TRACES_EXPORTER"); exporters != "" {
		names := strings.FieldsFunc(exporters, func(r rune) bool { return r == ',' || r == ' ' })
		if !slices.Contains(names, "otlp") {
			return Config{}, false
		}
	}
	if known := profiles["otlp"].protocols; protocol != "" && !slices.Contains(known, protocol) {
		e.warn("otlp", "not used: OTEL_EXPORTER_OTLP_PROTOCOL is %q; known are %s", protocol, strings.Join(known, ", "))
		return Config{}, false
	}
	if protocol == GRPC && !strings.Contains(endpoint, "://") {
		scheme := "https://"
		if strings.EqualFold(e.otelVariable("INSECURE"), "true") {
			scheme = "http://"
		}
		endpoint = scheme + endpoint
	}
	return Config{
		Name:        "otlp",
		Profile:     "otlp",
		Protocol:    protocol,
		TLS:         TLS{CA: e.otelVariable("CERTIFICATE"), Certificate: e.otelVariable("CLIENT_CERTIFICATE"), Key: e.otelVariable("CLIENT_KEY")},
		Endpoint:    endpoint,
		Headers:     e.otelHeaders(),
		Compression: e.otelCompression(),
		Timeout:     e.otelTimeout(),
	}, true
}

// otelCompression follows the specification, whose default is none.
func (e *environment) otelCompression() Compression {
	switch v := e.otelVariable("COMPRESSION"); v {
	case "gzip":
		return Gzip
	case "", "none":
		return None
	default:
		e.warn("otlp", "OTEL_EXPORTER_OTLP_COMPRESSION is %q and only gzip and none are supported: using none", v)
		return None
	}
}

func (e *environment) otelTimeout() time.Duration {
	v := e.otelVariable("TIMEOUT")
	if v == "" {
		return 0
	}
	ms, err := strconv.ParseInt(v, 10, 32)
	if err != nil || ms <= 0 {
		e.warn("otlp", "OTEL_EXPORTER_OTLP_TIMEOUT is not a positive number of milliseconds: using the default")
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// otelHeaders reads k=v,k2=v2 with URL-encoded values. A pair that does not
// parse is left out, and its warning shows no value.
func (e *environment) otelHeaders() map[string]telemetry.Secret {
	headers := map[string]telemetry.Secret{}
	for i, pair := range strings.Split(e.otelVariable("HEADERS"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || name == "" || err != nil {
			e.warn("otlp", "OTEL_EXPORTER_OTLP_HEADERS: header %d is not name=value with a URL-encoded value: left out", i+1)
			continue
		}
		headers[name] = telemetry.NewSecret(decoded)
	}
	return headers
}
