// Package metadata names the connector and says how far it can be relied on, in
// the shape that the Collector's metadata generator gives such a package. It says
// what ../../metadata.yaml says, and a test holds both together.
package metadata

import "go.opentelemetry.io/collector/component"

// Type is the connector's name in configurations.
var Type = component.MustNewType("treq")

const (
	// ScopeName is the scope of what the connector measures of itself.
	ScopeName = "treq/otel-collector/treqconnector"
	// TracesToMetricsStability is how far the connector can be relied on.
	TracesToMetricsStability = component.StabilityLevelBeta
)
