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
}

func defaultRuns() Runs {
	return Runs{Timeout: Duration(merger.DefaultTimeout), PendingBytes: merger.DefaultPendingBytes}
}

func (v *checker) runs(r *Runs) {
	v.no(time.Duration(r.Timeout) < time.Minute || time.Duration(r.Timeout) > 30*24*time.Hour, "runs.timeout", "must be within 1m and 30d")
	v.no(r.PendingBytes < 1<<20 || r.PendingBytes > 4<<30, "runs.pending_bytes", "must be within 1MiB and 4GiB")
}
