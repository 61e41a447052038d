package merger

import (
	"cmp"
	"slices"

	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
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

// The bounds of what Going gives.
const (
	mostGoing      = 500
	mostGoingBytes = 4 << 20
)

// Going gives runs that go on as an ExportTraceServiceRequest of spans without an
// end, whose treq.run.state is running: those of the trace that has this id or a
// run of this id; of the zero id the roots that were told last. nil if there are
// none. It gives a bounded number of them. Safe for concurrent use.
func (m *Merger) Going(id langsmith.ID) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.table
	trace := id
	if w := t.runs[id]; w != nil {
		trace = t.traceOf(&w.run)
	}
	var list []*waiting
	for _, w := range t.runs {
		if w.held == 0 && (t.traceOf(&w.run) == trace || id == langsmith.ID{} && w.run.Parent == langsmith.ID{}) {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b *waiting) int { return cmp.Compare(b.seq, a.seq) })
	var body []byte
	for _, w := range list[:min(len(list), mostGoing)] {
		if len(body) > mostGoingBytes {
			break
		}
		body = otlp.AppendTraceRequest(body, otlp.ResourceData{
			Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, w.run.Service())},
			Scopes:     []otlp.ScopeData{{Name: semconv.LSScope, Version: w.run.SDK(), Spans: []otlp.SpanData{t.going(w)}}},
		})
	}
	return body
}

// going gives a run that goes on as a span.
func (t *table) going(w *waiting) otlp.SpanData {
	r := w.run
	var span, parent [8]byte
	r.Trace, span, parent = t.named(&w.run)
	return r.Span(span, parent, running)
}
