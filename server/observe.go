package server

import (
	"maps"
	"slices"

	"treq/server/api"
	"treq/telemetry/instrument"
)

// sources are what the process's own instruments read. The doors and sinks are
// there by the time something is collected, or show nothing.
func (p *parts) sources() instrument.Sources {
	return instrument.Sources{
		Process:   p.process,
		Doors:     p.doorCounts,
		Refusals:  p.refusals,
		Sinks:     p.sinkCounts,
		Receivers: p.receiverCounts,
		Runs:      p.runCounts,
		Journal: func() instrument.Journal {
			st := p.journal.Stats()
			return instrument.Journal{
				Bytes:  st.Bytes,
				Unread: int64(p.journal.Durable() - p.meter.Counted()),
				Limit:  st.MaxBytes,
				Room:   st.RoomBytes,
			}
		},
	}
}

func (p *parts) doorCounts() (out []instrument.Door) {
	for _, d := range p.ingest.Stats() {
		for _, s := range d.Signals {
			out = append(out, instrument.Door{
				Door: d.Door, Signal: s.Signal,
				Requests: int64(s.Requests), Items: int64(s.Items), Bytes: int64(s.Bytes),
			})
		}
	}
	if posts := p.posted(); posts.Requests > 0 {
		out = append(out, instrument.Door{Door: "api", Signal: "posts", Requests: posts.Requests, Items: posts.Items, Bytes: posts.Bytes})
	}
	return out
}

// posted is what was posted so far; nothing before the API is there.
func (p *parts) posted() api.PostStats {
	if a := p.api.Load(); a != nil {
		return a.Posts()
	}
	return api.PostStats{}
}

func (p *parts) refusals() (out []instrument.Refusal) {
	for _, d := range p.ingest.Stats() {
		for _, reason := range slices.Sorted(maps.Keys(d.Refused)) {
			out = append(out, instrument.Refusal{Door: d.Door, Reason: reason, Requests: int64(d.Refused[reason])})
		}
	}
	return out
}

func (p *parts) sinkCounts() (out []instrument.Sink) {
	for _, s := range p.sinks.Status() {
		out = append(out, instrument.Sink{
			Name: s.Name, Sent: s.SentSpans, Retried: s.Retried,
			QueueSpans: s.QueueSpans, QueueBytes: s.QueueBytes, OldestAgeSeconds: s.OldestAgeSeconds,
			Dropped: []instrument.Drop{
				{Reason: "rejected", Spans: s.RejectedSpans},
				{Reason: "dead_lettered", Spans: s.DeadLetteredSpans},
				{Reason: "expired", Spans: s.ExpiredSpans},
			},
		})
	}
	return out
}

func (p *parts) receiverCounts() (out []instrument.Receiver) {
	for _, r := range p.notifications.Status() {
		out = append(out, instrument.Receiver{
			Name: r.Name, Sent: int64(r.Sent), Failed: int64(r.Failed), Waiting: int64(r.Waiting), OldestAgeSeconds: r.OldestAgeSeconds,
		})
	}
	return out
}
