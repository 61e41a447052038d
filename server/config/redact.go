package config

import "treq/telemetry"

// Redact says what is taken out of what comes in, or of what leaves.
type Redact struct {
	// Rules are those that ship with the program, or none.
	Rules RedactRules `yaml:"rules"`
	// File goes over them; "" is none.
	File string `yaml:"file"`
	// At is where they apply.
	At RedactAt `yaml:"at"`
	// Content says what becomes of what people and models wrote.
	Content RedactContent `yaml:"content"`
	// Key is what hashes are keyed with; without one the data directory keeps one.
	Key telemetry.Secret `yaml:"key"`
}

// On tells whether anything may be taken out.
func (r Redact) On() bool { return r.Rules != RedactOff || r.File != "" || r.Content != ContentKeep }

// RedactRules names rules that ship with the program.
type RedactRules string

// The rules.
const (
	RedactOff RedactRules = "off" // bytes pass untouched
	RedactBR  RedactRules = "br"  // personal numbers of Brazil, addresses, cards, keys
)

// UnmarshalText reads off or br.
func (r *RedactRules) UnmarshalText(text []byte) error { return choose(r, text, RedactOff, RedactBR) }

// RedactAt is where redaction applies (docs/architecture.md, section 1).
type RedactAt string

// The places.
const (
	RedactDoor RedactAt = "door" // before anything is on disk
	RedactSink RedactAt = "sink" // when it leaves: the disk has it as it came
	RedactBoth RedactAt = "both" // at the door, and at sinks what was admitted before
)

// UnmarshalText reads door, sink or both.
func (a *RedactAt) UnmarshalText(text []byte) error {
	return choose(a, text, RedactDoor, RedactSink, RedactBoth)
}

// Door tells whether it applies at the doors.
func (a RedactAt) Door() bool { return a != RedactSink }

// Sink tells whether it applies at the sinks that do not say otherwise.
func (a RedactAt) Sink() bool { return a != RedactDoor }

// RedactContent says what becomes of content.
type RedactContent string

// What becomes of content.
const (
	ContentKeep RedactContent = "keep"
	ContentNone RedactContent = "none" // the words go, every number stays
)

// UnmarshalText reads keep or none.
func (c *RedactContent) UnmarshalText(text []byte) error {
	return choose(c, text, ContentKeep, ContentNone)
}

func defaultRedact() Redact {
	return Redact{Rules: RedactOff, At: RedactDoor, Content: ContentKeep}
}

func (v *checker) redact(r *Redact) {
	n := len(r.Key.Reveal())
	v.no(n > 0 && n < 16, "redact.key", "must have 16 bytes or more: a short key can be tried out")
	v.no(n > 0 && !r.On(), "redact.key", "is of no use: set redact.rules, redact.file or redact.content too")
}
