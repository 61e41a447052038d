package mirror

import "time"

// Status is what GET /monitoring/sinks shows of a sink's judgements. The counts are
// of the sink's life, over restarts: Judgements = Sent + Waiting + Replaced +
// DeadLettered. Times are null for what has not happened.
type Status struct {
	Words Words `json:"words"`
	// State is running, retrying, paused or stopped, as for traces.
	State State `json:"state"`
	// Judgements were read from the journal for this sink, a judgement under two keys
	// twice.
	Judgements int64 `json:"judgements"`
	// Sent were taken by the sink.
	Sent int64 `json:"sent"`
	// Waiting are to be sent, WaitingForRun among them those whose run the sink, or
	// this process, does not know yet.
	Waiting       int64 `json:"waiting"`
	WaitingForRun int64 `json:"waiting_for_run"`
	// Replaced were overtaken by a changed vote before they were sent.
	Replaced int64 `json:"replaced"`
	// DeadLettered are in the dead-letter file, as far as its bound allows.
	DeadLettered int64 `json:"dead_lettered"`
	// Retried counts attempts that failed and were, or will be, made again.
	Retried int64 `json:"retried"`
	// ExpiredRecords went from the journal before they were read, since the start.
	ExpiredRecords int64 `json:"expired_records"`
	// OldestAgeSeconds is how long the oldest has waited, 0 if none does.
	OldestAgeSeconds float64 `json:"oldest_age_seconds"`
	// LastError is the last failure in words, without secrets.
	LastError     string     `json:"last_error"`
	LastErrorTime *time.Time `json:"last_error_time"`
	NextTry       *time.Time `json:"next_try"`
	LastSuccess   *time.Time `json:"last_success"`
}

// State is what an outbox is doing.
type State string

// The states.
const (
	// Running outboxes deliver, or wait for something to deliver.
	Running State = "running"
	// Retrying ones failed and will try again.
	Retrying State = "retrying"
	// Paused ones were refused in a way that only a person can mend.
	Paused State = "paused"
	// Stopped ones were stopped, or not yet started.
	Stopped State = "stopped"
)

func (b *outbox) status() Status {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Status{
		Words: b.sink.Words, State: b.gate.state, Judgements: b.counts.Read, Sent: b.counts.Sent,
		Waiting: int64(len(b.items)), Replaced: b.counts.Replaced, DeadLettered: b.counts.DeadLettered,
		Retried: b.counts.Retried, LastError: b.gate.lastErr, LastErrorTime: moment(b.gate.errTime),
		LastSuccess: moment(b.gate.lastGood),
	}
	if !b.running {
		s.State = Stopped
	}
	if b.gate.until.After(now) {
		s.NextTry = moment(b.gate.until)
	}
	for _, it := range b.items {
		if it.ForRun {
			s.WaitingForRun++
		}
		s.OldestAgeSeconds = max(s.OldestAgeSeconds, now.Sub(it.Since).Seconds())
	}
	if b.cursor != nil {
		records, _, _ := b.cursor.Expired()
		s.ExpiredRecords = int64(records)
	}
	return s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}
