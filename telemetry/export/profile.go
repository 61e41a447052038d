package export

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"treq/telemetry/enrich"
	"treq/telemetry/semconv"
)

// profile is what a kind of backend wants that plain OTLP does not say.
type profile struct {
	name string
	// join completes the path of an endpoint over HTTP; nil takes it as it is.
	join func(path string) string
	// keyHeader, projectHeader and tenantHeader carry Config.APIKey and the
	// project and tenant of a batch; "" sends none, and then batches are not
	// split by it either.
	keyHeader, projectHeader, tenantHeader string
	// key makes the header's value of the key; nil sends it as it is.
	key func(key string) string
	// project makes the header's value of a project; nil sends its name.
	project func(name string) string
	// ownTenant tells that clients' x-tenant-id, which is LangSmith's, means nothing
	// to the backend: only the configured one is sent.
	ownTenant bool
	// headers are sent unless the configuration has them.
	headers map[string]string
	// enrich adds to a request what the backend would miss; nil for nothing.
	enrich func(request []byte) []byte
	// projectAttribute names the span attribute that tells the project of a
	// record that came without the header.
	projectAttribute string
	// protocols are those that the backend speaks, the default first.
	protocols []string
	timeout   time.Duration
	// retryable are the statuses to try again besides OTLP's 429, 502, 503, 504.
	retryable []int
}

// profiles is the one table of backends.
var profiles = map[string]profile{
	// The OTLP specification: the endpoint of a signal is taken as it is, only
	// 429, 502, 503 and 504 are tried again.
	"otlp": {
		name:      "otlp",
		protocols: []string{Protobuf, JSON, GRPC},
		timeout:   10 * time.Second,
	},
	// LangSmith's OTLP intake. A header overrides the attribute, so a request
	// holds one project only, and both say the same. Its SDKs also try 408 and
	// 500 again.
	"langsmith": {
		name:             "langsmith",
		join:             joinLangSmith,
		keyHeader:        "x-api-key",
		projectHeader:    "Langsmith-Project",
		tenantHeader:     "x-tenant-id",
		projectAttribute: semconv.LSProject,
		enrich:           enrich.LangSmith,
		protocols:        []string{Native, Protobuf, JSON},
		timeout:          30 * time.Second,
		retryable:        []int{408, 425, 500},
	},
	// Langfuse takes no gRPC, and refuses a whole request for one bad span. Its key is
	// the public and the secret one, with a colon between.
	"langfuse": {
		name:      "langfuse",
		join:      under("/api/public/otel", "/v1/traces"),
		keyHeader: "Authorization", key: basic,
		enrich:    enrich.Langfuse,
		headers:   map[string]string{"X-Langfuse-Ingestion-Version": "4"},
		protocols: []string{Protobuf, JSON},
		timeout:   30 * time.Second,
	},
	// Phoenix answers anything but protobuf with 415.
	"phoenix": {
		name:      "phoenix",
		join:      under("", "/v1/traces"),
		keyHeader: "Authorization", key: bearer,
		projectHeader: "x-project-name", projectAttribute: semconv.LSProject,
		enrich:    enrich.Phoenix,
		protocols: []string{Protobuf, GRPC},
		timeout:   10 * time.Second,
	},
	// Opik's key stands in its header without a scheme.
	"opik": {
		name:          "opik",
		join:          under("/v1/private/otel", "/v1/traces"),
		keyHeader:     "Authorization",
		projectHeader: "projectName", projectAttribute: semconv.LSProject,
		tenantHeader: "Comet-Workspace", ownTenant: true,
		protocols: []string{Protobuf, JSON},
		timeout:   30 * time.Second,
	},
	// Braintrust keeps what names no parent nowhere.
	"braintrust": {
		name:      "braintrust",
		join:      under("/otel", "/v1/traces"),
		keyHeader: "Authorization", key: bearer,
		projectHeader: "x-bt-parent", projectAttribute: semconv.LSProject,
		project:   braintrustParent,
		protocols: []string{Protobuf, JSON},
		timeout:   30 * time.Second,
	},
	"honeycomb": {
		name:      "honeycomb",
		join:      under("", "/v1/traces"),
		keyHeader: "x-honeycomb-team",
		protocols: []string{Protobuf, JSON, GRPC},
		timeout:   10 * time.Second,
	},
	// Datadog's intake for LLM Observability takes no gRPC.
	"datadog": {
		name:      "datadog",
		join:      under("", "/v1/traces"),
		keyHeader: "dd-api-key",
		headers:   map[string]string{"Dd-Otlp-Source": "llmobs"},
		protocols: []string{Protobuf, JSON},
		timeout:   10 * time.Second,
	},
	// Grafana Cloud's key is the instance's number and a token, with a colon between.
	"grafana-cloud": {
		name:      "grafana-cloud",
		join:      under("/otlp", "/v1/traces"),
		keyHeader: "Authorization", key: basic,
		protocols: []string{Protobuf, JSON},
		timeout:   10 * time.Second,
	},
}

func profileNames() []string { return slices.Sorted(maps.Keys(profiles)) }

func bearer(key string) string { return "Bearer " + key }

func basic(key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(key))
}

// keyValue is what the key's header holds.
func (p profile) keyValue(key string) string {
	if p.key == nil {
		return key
	}
	return p.key(key)
}

// projectValue is what the project's header holds.
func (p profile) projectValue(name string) string {
	if p.project == nil {
		return name
	}
	return p.project(name)
}

// braintrustParent names a project, unless it says already what it names.
func braintrustParent(name string) string {
	for _, kind := range []string{"project_id:", "project_name:", "experiment_id:"} {
		if strings.HasPrefix(name, kind) {
			return name
		}
	}
	return "project_name:" + name
}

// under completes the path of an endpoint with where a backend takes OTLP, as far as
// the path does not name it already.
func under(base, traces string) func(path string) string {
	return func(path string) string {
		path = strings.TrimRight(path, "/")
		switch {
		case strings.HasSuffix(path, traces):
			return path
		case strings.HasSuffix(path, base):
			return path + traces
		default:
			return path + base + traces
		}
	}
}

// joinLangSmith completes the path of LANGSMITH_ENDPOINT, and leaves alone one
// that already names the intake.
var joinLangSmith = under("/otel", "/v1/traces")
