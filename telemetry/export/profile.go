package export

import (
	"maps"
	"slices"
	"strings"
	"time"

	"treq/telemetry/semconv"
)

// profile is what a kind of backend wants that plain OTLP does not say.
type profile struct {
	name string
	// join completes the path of an endpoint; nil takes it as it is.
	join func(path string) string
	// keyHeader, projectHeader and tenantHeader carry Config.APIKey and the
	// project and tenant of a batch; "" sends none, and then batches are not
	// split by it either.
	keyHeader, projectHeader, tenantHeader string
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
		protocols: []string{Protobuf},
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
		protocols:        []string{Native, Protobuf},
		timeout:          30 * time.Second,
		retryable:        []int{408, 425, 500},
	},
}

func profileNames() []string { return slices.Sorted(maps.Keys(profiles)) }

// joinLangSmith completes the path of LANGSMITH_ENDPOINT, and leaves alone one
// that already names the intake.
func joinLangSmith(path string) string {
	path = strings.TrimRight(path, "/")
	switch {
	case strings.HasSuffix(path, "/v1/traces"):
		return path
	case strings.HasSuffix(path, "/otel"):
		return path + "/v1/traces"
	default:
		return path + "/otel/v1/traces"
	}
}
