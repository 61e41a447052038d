package config

import (
	"time"

	"treq/telemetry/merger"
)

// Runs says how long the pieces of a run are waited for that come by LangSmith's
// own protocol (docs/architecture.md, section 1).
type Runs struct {
	// Timeout is how long a run may go on before it counts as one whose end never
	// comes; 1 minute to 30 days.
	Timeout Duration `yaml:"timeout"`
	// PendingBytes is the most that runs which go on may take in memory and in the
	// checkpoint; 1 MiB to 4 GiB.
	PendingBytes Size `yaml:"pending_bytes"`
	// ListRate is how many traces a second are read for the list of runs when that many
	// come for long; 1 to 100,000. Others are found by their ids.
	ListRate int `yaml:"list_rate"`
	// ListBytes bounds the memory of the list; 1 MiB to 1 GiB.
	ListBytes Size `yaml:"list_bytes"`
}

func defaultRuns() Runs {
	return Runs{Timeout: Duration(merger.DefaultTimeout), PendingBytes: merger.DefaultPendingBytes, ListRate: 200, ListBytes: 25 << 20}
}

func (v *checker) runs(r *Runs) {
	v.no(r.ListRate < 1 || r.ListRate > 100_000, "runs.list_rate", "must be within 1 and 100000")
	v.no(r.ListBytes < 1<<20 || r.ListBytes > 1<<30, "runs.list_bytes", "must be within 1MiB and 1GiB")
	v.no(time.Duration(r.Timeout) < time.Minute || time.Duration(r.Timeout) > 30*24*time.Hour, "runs.timeout", "must be within 1m and 30d")
	v.no(r.PendingBytes < 1<<20 || r.PendingBytes > 4<<30, "runs.pending_bytes", "must be within 1MiB and 4GiB")
}
