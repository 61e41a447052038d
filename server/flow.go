package server

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/snapshot"
)

// flow says what came in and what became of it, as the exposition counts it. What
// is zero is not listed.
type flow struct {
	Journal  journalState `json:"journal"`
	Received []received   `json:"received"`
	Refused  []refused    `json:"refused"`
	// Admitted spans are those with a disposition and those that wait for the rest
	// of their trace; late ones came when theirs was closed.
	AdmittedSpans int64     `json:"admitted_spans"`
	OpenSpans     int64     `json:"open_spans"`
	LateSpans     int64     `json:"late_spans"`
	Spans         []became  `json:"spans"`
	Rejected      []reasons `json:"rejected"`
}

// journalState is the journal on disk; the age is nil while it is empty.
type journalState struct {
	Bytes            int64    `json:"bytes"`
	LimitBytes       int64    `json:"limit_bytes"`
	RoomBytes        int64    `json:"room_bytes"`
	OldestAgeSeconds *float64 `json:"oldest_age_seconds"`
}

// received is what came through a door of one signal.
type received struct {
	Door     string `json:"door"`
	Signal   string `json:"signal"`
	Requests int64  `json:"requests"`
	Items    int64  `json:"items"`
	Bytes    int64  `json:"bytes"`
}

// refused are requests that a door did not take.
type refused struct {
	Door     string `json:"door"`
	Reason   string `json:"reason"`
	Requests int64  `json:"requests"`
}

// became are admitted spans of one disposition.
type became struct {
	Disposition string `json:"disposition"`
	Reason      string `json:"reason"`
	Spans       int64  `json:"spans"`
}

// reasons are spans that were cut out of requests that were taken.
type reasons struct {
	Reason string `json:"reason"`
	Spans  int64  `json:"spans"`
}

// flowOf reads a flow off a snapshot and the journal's state.
func flowOf(snap *snapshot.Snapshot, j journal.Stats) flow {
	f := flow{
		Journal:  journalState{Bytes: j.Bytes, LimitBytes: j.MaxBytes, RoomBytes: j.RoomBytes},
		Received: []received{}, Refused: []refused{}, Spans: []became{}, Rejected: []reasons{},
	}
	if !j.Oldest.IsZero() {
		age := max(0, j.OldestAge.Seconds())
		f.Journal.OldestAgeSeconds = &age
	}
	doors := map[[2]string]*received{}
	spans, rejected := map[[2]string]int64{}, map[string]int64{}
	for _, scope := range snap.Exposed() {
		for _, m := range scope.Metrics {
			f.take(m, doors, spans, rejected)
		}
	}
	for _, d := range doors {
		f.Received = append(f.Received, *d)
	}
	slices.SortFunc(f.Received, func(a, b received) int { return cmp.Or(cmp.Compare(a.Door, b.Door), cmp.Compare(a.Signal, b.Signal)) })
	slices.SortFunc(f.Refused, func(a, b refused) int { return cmp.Or(cmp.Compare(a.Door, b.Door), cmp.Compare(a.Reason, b.Reason)) })
	for key, n := range spans {
		f.Spans = append(f.Spans, became{key[0], key[1], n})
	}
	slices.SortFunc(f.Spans, func(a, b became) int {
		return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Disposition, b.Disposition), cmp.Compare(a.Reason, b.Reason))
	})
	for reason, n := range rejected {
		f.Rejected = append(f.Rejected, reasons{reason, n})
	}
	slices.SortFunc(f.Rejected, func(a, b reasons) int { return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Reason, b.Reason)) })
	return f
}

// take adds one metric to what it is about.
func (f *flow) take(m metricdata.Metrics, doors map[[2]string]*received, spans map[[2]string]int64, rejected map[string]int64) {
	sum, ok := m.Data.(metricdata.Sum[int64])
	if !ok {
		return
	}
	for _, p := range sum.DataPoints {
		if p.Value == 0 {
			continue
		}
		of := func(key attribute.Key) string {
			v, _ := p.Attributes.Value(key)
			return v.AsString()
		}
		door := func() *received {
			key := [2]string{of(instrument.AttrDoor), of(instrument.AttrSignal)}
			if doors[key] == nil {
				doors[key] = &received{Door: key[0], Signal: key[1]}
			}
			return doors[key]
		}
		switch m.Name {
		case instrument.PipelineRequests:
			door().Requests += p.Value
		case instrument.PipelineReceived:
			door().Items += p.Value
		case instrument.PipelineBytes:
			door().Bytes += p.Value
		case instrument.PipelineRefused:
			f.Refused = append(f.Refused, refused{of(instrument.AttrDoor), of(instrument.AttrReason), p.Value})
		case instrument.PipelineAdmitted:
			f.AdmittedSpans += p.Value
		case instrument.PipelineOpen:
			f.OpenSpans += p.Value
		case instrument.PipelineLate:
			f.LateSpans += p.Value
		case instrument.PipelineSpans:
			spans[[2]string{of(instrument.AttrDisposition), of(instrument.AttrReason)}] += p.Value
		case instrument.PipelineRejected:
			rejected[of(instrument.AttrReason)] += p.Value
		}
	}
}
