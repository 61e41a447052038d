// Package metadata names the processor and says how far it can be relied on, in
// the shape that the Collector's metadata generator gives such a package. It says
// what ../../metadata.yaml says, and a test holds both together.
package metadata

import "go.opentelemetry.io/collector/component"

// Type is the processor's name in configurations.
var Type = component.MustNewType("treq_enrich")

// TracesStability is how far the processor can be relied on with traces.
const TracesStability = component.StabilityLevelBeta
