package notify

import (
	"time"
)

// Status is what GET /monitoring/alerts shows of one receiver. The counts are of
// the process's life. Times are zero, and null in JSON, for what has not happened.
type Status struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// State is "ok", "retrying" while the receiver does not take what it is sent,
	// or "idle" before anything was sent.
	State string `json:"state"`
	// Waiting are the firings and ends that the receiver is owed, those included
	// that wait for company or for the end of quiet hours.
	Waiting int `json:"waiting"`
	// OldestAgeSeconds is for how long the oldest of them has been owed; 0 if none is.
	OldestAgeSeconds float64 `json:"oldest_age_seconds"`
	// Sent and Failed count attempts.
	Sent   int `json:"sent"`
	Failed int `json:"failed"`
	// LastError is the last failure in words, without secrets; "" if none.
	LastError     string     `json:"last_error"`
	LastErrorTime *time.Time `json:"last_error_time"`
	NextTry       *time.Time `json:"next_try"`
	LastSuccess   *time.Time `json:"last_success"`
}

// Status tells how the receivers do, in the order of the settings; never nil.
func (d *Dispatcher) Status() []Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	out := []Status{}
	for _, r := range d.receivers {
		s := Status{
			Name: r.config.Name, Kind: r.config.Kind, State: "ok",
			Sent: r.stats.sent, Failed: r.stats.failed, LastError: r.stats.lastError,
			LastErrorTime: known(r.stats.errorAt), LastSuccess: known(r.stats.lastSuccess),
		}
		switch {
		case r.failures > 0 || len(r.trouble) > 0:
			s.State = "retrying"
		case r.stats.sent == 0:
			s.State = "idle"
		}
		for _, g := range r.groups(d.book, now) {
			for _, m := range g.members {
				if m.owes(m.told) {
					s.Waiting++
					s.OldestAgeSeconds = max(s.OldestAgeSeconds, now.Sub(m.since()).Seconds())
				}
			}
		}
		if s.State == "retrying" {
			if _, wake := r.next(d.book, now); !wake.IsZero() {
				s.NextTry = known(wake)
			}
		}
		out = append(out, s)
	}
	return out
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
