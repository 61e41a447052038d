package export

import "treq/telemetry/journal"

// Redaction is what may be taken out of what leaves. The zero value takes out nothing.
type Redaction struct {
	// Rewrite takes out what the settings say, of sinks that ask for it, and with
	// RewriteAll of all that do not ask to be spared; nil takes out nothing.
	Rewrite    Rewrite
	RewriteAll bool
	// Rules is Rewrite that leaves content, Strip takes away content alone: of sinks
	// whose own word on content differs from the settings'.
	Rules, Strip Rewrite
}

// For gives what is taken out of what a sink gets; nil for nothing. The configuration
// is a usable one.
func (r Redaction) For(c Config) Rewrite {
	asked := c.Redact == RedactOn || c.Redact == "" && r.RewriteAll
	switch {
	case c.Content == ContentNone && asked:
		return after(r.Rules, r.Strip)
	case c.Content == ContentNone:
		return r.Strip
	case !asked:
		return nil
	case c.Content == ContentKeep:
		return r.Rules
	}
	return r.Rewrite
}

// after is one and then the other; either may be nil.
func after(first, second Rewrite) Rewrite {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(kind journal.Kind, body []byte) ([]byte, error) {
		body, err := first(kind, body)
		if err != nil {
			return nil, err
		}
		return second(kind, body)
	}
}
