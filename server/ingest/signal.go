package ingest

import (
	"net/http"
	"path"
	"strings"

	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

// signal is what differs between traces, metrics and logs.
type signal struct {
	kind journal.Kind
	// name goes into the hash in place of the path, so that one request sent to
	// two spellings of a door is one.
	name string
	// index is its place in counters.
	index int
	// check validates a body and counts its items, and of those the ones that cannot be kept.
	check func(body []byte) (items, bad int, err error)
	// cut appends to dst what can be kept of body; nil where check never finds any bad.
	cut      func(dst, body []byte) []byte
	fromJSON func(dst, body []byte) ([]byte, error)
	response otlp.Signal
}

var traces = &signal{
	kind: journal.Traces, name: "traces", index: 0, response: otlp.TracesSignal,
	check: func(body []byte) (int, int, error) {
		c, err := otlp.CheckTraces(body)
		return c.Spans, c.BadIDs, err
	},
	cut:      otlp.CutTraces,
	fromJSON: otlp.TracesFromJSON,
}

var metrics = &signal{
	kind: journal.Metrics, name: "metrics", index: 1, response: otlp.MetricsSignal,
	check: func(body []byte) (int, int, error) {
		n, err := otlp.CheckMetrics(body)
		return n, 0, err
	},
	fromJSON: otlp.MetricsFromJSON,
}

var logs = &signal{
	kind: journal.Logs, name: "logs", index: 2, response: otlp.LogsSignal,
	check: func(body []byte) (int, int, error) {
		n, err := otlp.CheckLogs(body)
		return n, 0, err
	},
	fromJSON: otlp.LogsFromJSON,
}

var signals = [...]*signal{traces, metrics, logs}

// paths are the HTTP paths without a slash at their end: OTLP's own, and those
// to which clients post that think they talk to LangSmith (its Python SDK
// posts traces to a bare /otel; a bare endpoint posts to /).
var paths = map[string]*signal{
	"":                       traces,
	"/v1/traces":             traces,
	"/v1/metrics":            metrics,
	"/v1/logs":               logs,
	"/otel":                  traces,
	"/otel/v1/traces":        traces,
	"/otel/v1/metrics":       metrics,
	"/otel/v1/logs":          logs,
	"/api/v1/otel":           traces,
	"/api/v1/otel/v1/traces": traces,
}

// signalOf gives the signal of a path, nil if there is none. An endpoint that
// ends in a slash makes clients post to paths with two.
func signalOf(p string) *signal {
	if strings.Contains(p, "//") {
		p = path.Clean(p)
	}
	return paths[strings.TrimSuffix(p, "/")]
}

// Serves tells whether HTTP has the path of r, whatever its method; the root
// only for a POST of an OTLP content type, since browsers ask for it too.
func Serves(r *http.Request) bool {
	if servesNative(r) {
		return true
	}
	s := signalOf(r.URL.Path)
	if s == nil {
		return false
	}
	if strings.Trim(r.URL.Path, "/") != "" {
		return true
	}
	_, err := formatOf(r.Header)
	return r.Method == http.MethodPost && err == nil
}
