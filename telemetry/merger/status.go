package merger

import (
	"time"

	"treq/telemetry/langsmith"
)

// Stats are figures of the merger. Counts begin with the process.
type Stats struct {
	// Running is how many runs are waited for, RunningBytes what they take.
	Running      int
	RunningBytes int64
	// Spans became of runs.
	Spans uint64
	// TimedOut are runs whose end never came, Evicted those there was no room to wait
	// for, Orphans ends whose beginning never came.
	TimedOut, Evicted, Orphans uint64
	// Paired are runs that came as OTLP too, and became no span of their own.
	Paired uint64
	// Late are operations on runs that were told before: what came twice, and changes
	// behind the end.
	Late uint64
}

// Stats gives the figures. Safe for concurrent use.
func (m *Merger) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.table
	return Stats{
		Running: len(t.runs), RunningBytes: t.bytes, Spans: m.spans.Load(),
		TimedOut: t.timedOut, Evicted: t.evicted, Orphans: t.orphans, Paired: t.paired, Late: t.late,
	}
}

// Running is a run that goes on.
type Running struct {
	ID, Trace, Parent   langsmith.ID
	Name, Type, Project string
	// Start is when it began, zero if not told; Until when it will count as one whose
	// end never comes.
	Start, Until time.Time
}

// Running gives the runs that go on, at most so many of them and in no order; with
// a trace only those of it. Safe for concurrent use.
func (m *Merger) Running(trace langsmith.ID, most int) []Running {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Running
	for _, w := range m.table.runs {
		if len(list) == most {
			break
		}
		if trace != (langsmith.ID{}) && w.run.Trace != trace {
			continue
		}
		r := Running{
			ID: w.run.ID, Trace: w.run.Trace, Parent: w.run.Parent, Name: w.run.Name, Type: w.run.Type,
			Project: w.run.Service(), Until: time.Unix(0, w.due),
		}
		if w.run.Start != 0 {
			r.Start = time.Unix(0, w.run.Start)
		}
		list = append(list, r)
	}
	return list
}
