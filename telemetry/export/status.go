package export

import "time"

// State is what a sink is doing.
type State string

// The states.
const (
	// Running sinks deliver, or wait for something to deliver.
	Running State = "running"
	// Retrying sinks failed and will try again at NextTry.
	Retrying State = "retrying"
	// Paused sinks were refused in a way that only a person can mend (a wrong
	// key, a wrong address). They keep their data and ask again at NextTry.
	Paused State = "paused"
	// Stopped sinks were stopped, or not yet started.
	Stopped State = "stopped"
)

// Status is what GET /monitoring/sinks shows of one sink. The counts are of the
// sink's life, over restarts, and AdmittedSpans = SentSpans + QueueSpans +
// DeadLetteredSpans + ExpiredSpans + SampledOutSpans + RepeatedSpans holds in every Status.
// Times are zero, and null in JSON, for what has not happened.
type Status struct {
	Name    string `json:"name"`
	Profile string `json:"profile"`
	// Endpoint is without user, password and query.
	Endpoint string `json:"endpoint"`
	State    State  `json:"state"`
	// AdmittedSpans were durable in the journal for this sink to read.
	AdmittedSpans int64 `json:"admitted_spans"`
	// QueueSpans are admitted and not settled.
	QueueSpans int64 `json:"queue_spans"`
	// QueueBytes is how far the sink is behind in the journal.
	QueueBytes int64 `json:"queue_bytes"`
	// OldestAgeSeconds is the age of the oldest span that waits, 0 if none does.
	OldestAgeSeconds float64 `json:"oldest_age_seconds"`
	// SentSpans were taken by the sink, RejectedSpans among them, which it took
	// and then said it would not keep (partial success).
	SentSpans     int64 `json:"sent_spans"`
	RejectedSpans int64 `json:"rejected_spans"`
	// DeadLetteredSpans are in the dead-letter file, as far as its bound allows.
	DeadLetteredSpans int64 `json:"dead_lettered_spans"`
	// ExpiredSpans went from the journal by retention before they could be sent.
	ExpiredSpans int64 `json:"expired_spans"`
	// SampledOutSpans are of traces that the sink's settings or its budget leave out.
	SampledOutSpans int64 `json:"sampled_out_spans"`
	// RepeatedSpans were admitted already, before a restart that kept their client from
	// hearing of it: they came again and have the end of those that they repeat.
	RepeatedSpans int64 `json:"repeated_spans"`
	// PromotedSpans are of traces that the budget had left out and that were judged badly
	// since: they were SampledOutSpans, and are waiting or have another end now.
	PromotedSpans int64 `json:"promoted_spans"`
	// SentRatio is the share of SentSpans in these and SampledOutSpans, 1 without either.
	SentRatio float64 `json:"sent_ratio"`
	// Budget is null for a sink without limits.
	Budget *BudgetStatus `json:"budget"`
	// SentRequests and SentBytes count delivered requests and their bodies as
	// they went over the wire; Retried counts attempts that failed and were, or
	// will be, made again.
	SentRequests int64 `json:"sent_requests"`
	SentBytes    int64 `json:"sent_bytes"`
	Retried      int64 `json:"retried"`
	// LastError is the last failure in words, without secrets; "" if none.
	LastError     string     `json:"last_error"`
	LastErrorTime *time.Time `json:"last_error_time"`
	NextTry       *time.Time `json:"next_try"`
	LastSuccess   *time.Time `json:"last_success"`
}
