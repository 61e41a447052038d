package scaleout

import (
	"fmt"
	"strings"
)

// values are what the templates are filled with.
type values struct {
	Replicas []string // their names
	Count    int
	Kafka    []string
	Server   server
	Metrics  Metrics
	Signals  []string // of OTLP
	// Variables hold the secrets of Settings; those among Ingest let telemetry in.
	Variables, Ingest []string
	// Settings is the replicas' file.
	Settings string
	// ChartSettings is the same without what the chart sets itself, ChartVariables
	// what it takes as secrets, and Egress where a replica sends to.
	ChartSettings  string
	ChartVariables []string
	Egress         []int
	// FleetTokenIsAPI tells that replicas show each other what readers show.
	FleetTokenIsAPI bool
	// MostMiB is the largest request that a gateway takes and hands over.
	MostMiB int64
	// Mounted are files that the settings name.
	Mounted []string
	// Source is the receiver that pipelines begin with.
	Source string
}

// With gives the values with a source.
func (v values) With(source string) values {
	v.Source = source
	return v
}

// MostBytes is MostMiB, spelled in bytes.
func (v values) MostBytes() int64 { return v.MostMiB << 20 }

// firstInner is the first port by which a Collector hands over to itself.
const firstInner = 20000

// Inner is where a Collector takes what its balancer gives to a replica.
func (v values) Inner(replica int) string { return fmt.Sprintf("127.0.0.1:%d", firstInner+replica) }

// Indented gives text with spaces before every line.
func (v values) Indented(n int, text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+strings.Repeat(" ", n))
}
