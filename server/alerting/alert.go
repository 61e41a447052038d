package alerting

import (
	"context"
	"time"
)

// Severity says how urgent an alert is. The zero value is none of them.
type Severity string

// The severities. A critical alert makes the system's status degraded.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// State is where an alert stands.
type State string

// The states of an alert. Only Firing and Resolved are notified.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

// Language is a language that alerts are worded in, as an IETF tag.
type Language string

// The languages that every built-in alert is worded in.
const (
	Portuguese Language = "pt-BR"
	English    Language = "en"
)

// Text is what a person reads of an alert. Both lines are plain text with the
// numbers filled in; Description may be empty.
type Text struct {
	Summary     string `json:"summary"`
	Description string `json:"description,omitempty"`
}

// Alert is one firing of a rule, or its end. A rule that groups by labels has one
// alert for each of their combinations. Maps are shared by all who are given the
// alert: read them only.
type Alert struct {
	// Fingerprint is the same for every firing of the same rule with the same
	// labels: 16 hexadecimal digits. Together with StartsAt it names one firing,
	// and with State the one notification.
	Fingerprint string
	// Rule is the rule's name in the objectives, such as error_rate.
	Rule     string
	Severity Severity
	// Labels are alertname, severity, the labels the rule groups by and those that
	// the file adds.
	Labels map[string]string
	// Texts hold the wording by language; at least English is there.
	Texts map[Language]Text
	// Value is what was compared with the threshold when the alert last fired, in
	// the rule's unit.
	Value float64
	State State
	// StartsAt is when the alert began to fire: it stays through restarts.
	StartsAt time.Time
	// EndsAt is when it ceased to; zero while it fires.
	EndsAt time.Time
	// GeneratorURL leads to the rule's expression, without a host where the
	// process was not told its own address.
	GeneratorURL string
}

// Text gives the wording in a language, or in English where that is missing.
func (a Alert) Text(l Language) Text {
	if t, ok := a.Texts[l]; ok {
		return t
	}
	return a.Texts[English]
}

// Notifier takes over the delivery of alerts.
type Notifier interface {
	// Notify is given what changed since the last call that returned nil: each
	// alert that began to fire, each that was resolved. When it returns nil the
	// alerts are durable in the notifier, which then owes their delivery; after an
	// error, or a crash before the caller noted the success, the same alerts come
	// again, which Fingerprint, StartsAt and State tell. It must not wait for a
	// receiver. One call at a time.
	Notify(ctx context.Context, alerts []Alert) error
}
