package understand

import (
	"slices"
	"time"

	"treq/telemetry"
)

// Config says how spans become chats. Fields that are zero take the value that
// DefaultConfig gives, except the booleans and lists, whose zero value stands.
type Config struct {
	// CloseRoot is how long a fragment is waited for after it last grew when its
	// top has no parent or is a SERVER span. An SDK's batch delay alone is 5 s.
	CloseRoot time.Duration
	// CloseChain is the same for a top that is a chain, workflow or agent span
	// whose parent has not come.
	CloseChain time.Duration
	// CloseLeaf is the same for every other top.
	CloseLeaf time.Duration
	// CloseMax closes a fragment so long after its first span at the latest.
	CloseMax time.Duration
	// Remember is how long closed fragments, and spans seen, are remembered.
	Remember time.Duration
	// Session is the duration from which a span is a session and no question.
	Session time.Duration

	// MaxOpenSpans bounds the spans held in open fragments, about 200 bytes each;
	// above it fragments close early, those due first before the others. A trace of
	// fewer than three counts for three, here and for MaxRemembered.
	MaxOpenSpans int
	// MaxTraceSpans bounds the open spans of one trace; above it all of the
	// trace's fragments close early.
	MaxTraceSpans int
	// MaxRemembered bounds the spans remembered of closed fragments, about 100 bytes each.
	MaxRemembered int
	// MaxContent bounds the bytes of JSON content read of one span.
	MaxContent int
	// HorizonBytes bounds the fingerprints of spans seen, 8 bytes each.
	HorizonBytes int

	// Pricer says what calls cost whose spans do not; nil leaves all their tokens
	// unpriced.
	Pricer Pricer

	// ChatsFrom says which doors' chats count.
	ChatsFrom ChatsFrom
	// BareLLM makes a chat of every model call that no other rule covers.
	BareLLM bool
	// Entries name the spans that are chats; see Rule.
	Entries []Rule
	// Exclude names spans that never are a chat, and below which none is found
	// unless an entry rule says so.
	Exclude []Rule
	// Preset adds a known application's rules; "" and "treq" are known.
	Preset string
}

// Rule selects spans; fields that are "" select all, and a rule without any
// field selects none. Texts match exactly.
type Rule struct {
	Service string // service.name
	Name    string // the span's name
	Route   string // http.route
}

// ChatsFrom says whose chats count. The zero value is FromBoth.
type ChatsFrom uint8

// The choices of chats.from.
const (
	FromBoth ChatsFrom = iota
	FromTraces
	FromAPI
)

// DefaultConfig gives the documented defaults.
func DefaultConfig() Config {
	return Config{
		CloseRoot:     6 * time.Second,
		CloseChain:    30 * time.Second,
		CloseLeaf:     5 * time.Minute,
		CloseMax:      time.Hour,
		Remember:      15 * time.Minute,
		Session:       10 * time.Minute,
		MaxOpenSpans:  64_000,
		MaxTraceSpans: 20_000,
		MaxRemembered: 96_000,
		MaxContent:    256 << 10,
		HorizonBytes:  16 << 20,
		BareLLM:       true,
	}
}

// complete gives the configuration with defaults filled in and the preset applied.
func (c Config) complete() (Config, error) {
	d := DefaultConfig()
	for _, p := range []struct{ field, byDefault *time.Duration }{
		{&c.CloseRoot, &d.CloseRoot},
		{&c.CloseChain, &d.CloseChain},
		{&c.CloseLeaf, &d.CloseLeaf},
		{&c.CloseMax, &d.CloseMax},
		{&c.Remember, &d.Remember},
		{&c.Session, &d.Session},
	} {
		if *p.field == 0 {
			*p.field = *p.byDefault
		}
		if *p.field < 0 {
			return c, telemetry.Errorf(telemetry.Invalid, "chats: a delay is negative (%s)", *p.field)
		}
	}
	for _, p := range []struct{ field, byDefault *int }{
		{&c.MaxOpenSpans, &d.MaxOpenSpans},
		{&c.MaxTraceSpans, &d.MaxTraceSpans},
		{&c.MaxRemembered, &d.MaxRemembered},
		{&c.MaxContent, &d.MaxContent},
		{&c.HorizonBytes, &d.HorizonBytes},
	} {
		if *p.field == 0 {
			*p.field = *p.byDefault
		}
		if *p.field < 0 {
			return c, telemetry.Errorf(telemetry.Invalid, "chats: a bound is negative (%d)", *p.field)
		}
	}
	switch c.Preset {
	case "":
	case "treq":
		c.Entries = append(slices.Clone(c.Entries), Rule{Name: "chat_endpoint"})
	default:
		return c, telemetry.Errorf(telemetry.Invalid, "chats: no preset is named %q; known: treq", c.Preset)
	}
	for _, r := range append(slices.Clone(c.Entries), c.Exclude...) {
		if r == (Rule{}) {
			return c, telemetry.Errorf(telemetry.Invalid, "chats: a rule names neither service, name nor route")
		}
	}
	return c, nil
}

// matches tells whether any of the rules selects a span.
func matches(rules []Rule, service, name string, route []byte) bool {
	for i := range rules {
		r := &rules[i]
		if (r.Service == "" || r.Service == service) && (r.Name == "" || r.Name == name) &&
			(r.Route == "" || r.Route == string(route)) {
			return true
		}
	}
	return false
}

// governs tells whether any of the rules is about a service's spans.
func governs(rules []Rule, service string) bool {
	for i := range rules {
		if rules[i].Service == "" || rules[i].Service == service {
			return true
		}
	}
	return false
}
