package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that never prints itself: every verb of fmt, encoding/json,
// yaml and slog show "[REDACTED]", and an empty secret shows "". Reveal gives the
// text to those who send it.
type Secret struct{ text string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal gives the text.
func (s Secret) Reveal() string { return s.text }

// IsZero tells whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == "" }

// Equal tells whether both hold the same text. Who compares with what a stranger
// sent compares digests instead (server/access).
func (s Secret) Equal(o Secret) bool { return s.text == o.text }

// String gives "[REDACTED]", or "" for an empty secret.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return "[REDACTED]"
}

// GoString gives what String gives.
func (s Secret) GoString() string { return s.String() }

// Format prints what String gives, quoted for %q: without it the verbs that are not
// for text would print the field.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", s.String())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText gives what String gives.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	s.text = string(text)
	return nil
}

// LogValue gives what String gives.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
