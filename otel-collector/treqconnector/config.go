package treqconnector

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"treq/telemetry/instrument"
	"treq/telemetry/pricing"
	"treq/telemetry/understand"
)

// DefaultFlushInterval is how often metrics are emitted unless told otherwise.
const DefaultFlushInterval = 15 * time.Second

// Config is the connector's configuration. Keys, defaults and meanings are those
// of the product's settings (docs/configuration.md), so that a Collector and a
// treq-telemetry that are told the same count the same. NewFactory gives one with
// all defaults; the zero value is not usable.
type Config struct {
	// FlushInterval is how often all series are emitted, above 0.
	FlushInterval time.Duration `mapstructure:"metrics_flush_interval"`
	Chats         Chats         `mapstructure:"chats"`
	// Families sort models under one name, the first that matches; empty is the product's own.
	Families  []Family  `mapstructure:"families"`
	Retrieval Retrieval `mapstructure:"retrieval"`
	Prices    Prices    `mapstructure:"prices"`
	Limits    Limits    `mapstructure:"limits"`
}

// Chats says which spans are a chat, and how long parts of a trace are waited for.
type Chats struct {
	// Preset names a rule set that ships with the program: "treq" or "".
	Preset string `mapstructure:"preset"`
	// Entries mark the spans that are a chat; a service with such a rule has no others.
	Entries []SpanRule `mapstructure:"entries"`
	// Exclude marks spans that are never a chat.
	Exclude []SpanRule `mapstructure:"exclude"`
	// BareLLM counts a model call under no other span as a chat.
	BareLLM bool `mapstructure:"bare_llm"`
	// Session is the duration from which a span is a session of many chats.
	Session time.Duration `mapstructure:"session"`
	// Remember is how long spans that were counted are remembered, to be counted once.
	Remember time.Duration `mapstructure:"remember"`
	Close    Closing       `mapstructure:"close"`
}

// Closing says how long after it last grew a part of a trace is counted, by what
// stands at its top.
type Closing struct {
	Root    time.Duration `mapstructure:"root"`    // no parent, or a SERVER span
	Chain   time.Duration `mapstructure:"chain"`   // a chain, workflow or agent whose parent has not come
	Leaves  time.Duration `mapstructure:"leaves"`  // leaves alone
	Longest time.Duration `mapstructure:"longest"` // after its first span, whatever comes
}

// SpanRule selects spans by what it names; at least one field is set.
type SpanRule struct {
	Service string `mapstructure:"service"`
	Name    string `mapstructure:"name"`
	Route   string `mapstructure:"route"`
}

// Family sorts models under one name.
type Family struct {
	Name string `mapstructure:"name"`
	// Match are parts of model names, compared without regard to case; any one will do.
	Match []string `mapstructure:"match"`
}

// Retrieval says what a good search is.
type Retrieval struct {
	// Threshold is the similarity, above 0 to 1, that the best document should reach.
	Threshold float64 `mapstructure:"threshold"`
}

// Prices says what calls cost that do not say it.
type Prices struct {
	// File is laid over the embedded price book; "" is none.
	File string `mapstructure:"file"`
}

// Limits bound the memory that traffic can take.
type Limits struct {
	// OpenSpans bounds the spans that wait for the rest of their trace, about 200 bytes each.
	OpenSpans int `mapstructure:"open_spans"`
	// TraceSpans bounds those of one trace.
	TraceSpans int `mapstructure:"trace_spans"`
	// RememberedSpans bounds the spans remembered of what was counted, about 100 bytes each.
	RememberedSpans int `mapstructure:"remembered_spans"`
	// HorizonBytes bounds the fingerprints of spans seen, 8 bytes each.
	HorizonBytes int `mapstructure:"horizon_bytes"`
	// Values is how many distinct values an attribute keeps, 1 to 10000; the rest are "other".
	Values int `mapstructure:"values"`
	// Series is how many series an instrument keeps in detail.
	Series int `mapstructure:"series"`
}

var _ confmap.Validator = (*Config)(nil)

func defaultConfig() *Config {
	rules := understand.DefaultConfig()
	return &Config{
		FlushInterval: DefaultFlushInterval,
		Chats: Chats{
			BareLLM:  rules.BareLLM,
			Session:  rules.Session,
			Remember: rules.Remember,
			Close:    Closing{Root: rules.CloseRoot, Chain: rules.CloseChain, Leaves: rules.CloseLeaf, Longest: rules.CloseMax},
		},
		Retrieval: Retrieval{Threshold: instrument.DefaultThreshold},
		Limits: Limits{
			OpenSpans: rules.MaxOpenSpans, TraceSpans: rules.MaxTraceSpans,
			RememberedSpans: rules.MaxRemembered, HorizonBytes: rules.HorizonBytes,
			Values: instrument.DefaultMaxValues, Series: instrument.DefaultMaxSeries,
		},
	}
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"metrics_flush_interval", c.FlushInterval},
		{"chats::session", c.Chats.Session},
		{"chats::remember", c.Chats.Remember},
		{"chats::close::root", c.Chats.Close.Root},
		{"chats::close::chain", c.Chats.Close.Chain},
		{"chats::close::leaves", c.Chats.Close.Leaves},
		{"chats::close::longest", c.Chats.Close.Longest},
	} {
		if d.value <= 0 {
			fault("%s: %s is not above 0", d.key, d.value)
		}
	}
	for _, n := range []struct {
		key         string
		value, most int
	}{
		{"limits::open_spans", c.Limits.OpenSpans, 1 << 30},
		{"limits::trace_spans", c.Limits.TraceSpans, 1 << 30},
		{"limits::remembered_spans", c.Limits.RememberedSpans, 1 << 30},
		{"limits::horizon_bytes", c.Limits.HorizonBytes, 1 << 40},
		{"limits::values", c.Limits.Values, 10_000},
		{"limits::series", c.Limits.Series, 1 << 30},
	} {
		if n.value < 1 || n.value > n.most {
			fault("%s: %d is not in 1 to %d", n.key, n.value, n.most)
		}
	}
	if t := c.Retrieval.Threshold; !(t > 0 && t <= 1) {
		fault("retrieval::threshold: %g is not above 0 and at most 1", t)
	}
	if p := c.Chats.Preset; p != "" && p != "treq" {
		fault("chats::preset: no preset is named %q; known: treq", p)
	}
	for _, list := range []struct {
		key   string
		rules []SpanRule
	}{{"chats::entries", c.Chats.Entries}, {"chats::exclude", c.Chats.Exclude}} {
		for i, rule := range list.rules {
			if rule == (SpanRule{}) {
				fault("%s::%d: it names neither service, name nor route", list.key, i)
			}
		}
	}
	for i, family := range c.Families {
		if family.Name == "" || len(family.Match) == 0 {
			fault("families::%d: it needs a name and what to match", i)
		}
	}
	return errors.Join(faults...)
}

// rules gives what spans are understood by, without prices.
func (c *Config) rules() understand.Config {
	rules := understand.DefaultConfig()
	rules.CloseRoot, rules.CloseChain = c.Chats.Close.Root, c.Chats.Close.Chain
	rules.CloseLeaf, rules.CloseMax = c.Chats.Close.Leaves, c.Chats.Close.Longest
	rules.Remember, rules.Session = c.Chats.Remember, c.Chats.Session
	rules.MaxOpenSpans, rules.MaxTraceSpans = c.Limits.OpenSpans, c.Limits.TraceSpans
	rules.MaxRemembered, rules.HorizonBytes = c.Limits.RememberedSpans, c.Limits.HorizonBytes
	rules.Preset, rules.BareLLM = c.Chats.Preset, c.Chats.BareLLM
	for _, r := range c.Chats.Entries {
		rules.Entries = append(rules.Entries, understand.Rule(r))
	}
	for _, r := range c.Chats.Exclude {
		rules.Exclude = append(rules.Exclude, understand.Rule(r))
	}
	return rules
}

// options gives what instruments are bounded by.
func (c *Config) options() instrument.Options {
	o := instrument.Options{MaxValues: c.Limits.Values, MaxSeries: c.Limits.Series, Threshold: c.Retrieval.Threshold}
	if len(c.Families) > 0 {
		var table []instrument.Family
		for _, f := range c.Families {
			table = append(table, instrument.Family{Name: f.Name, Contains: f.Match})
		}
		o.Family = instrument.FamilyOf(table)
	}
	return o
}

// book gives the price book with the user's file laid over it.
func (c *Config) book() (*pricing.Book, error) {
	book := pricing.Embedded()
	if c.Prices.File == "" {
		return book, nil
	}
	data, err := os.ReadFile(c.Prices.File)
	if err != nil {
		return nil, fmt.Errorf("prices::file: %w", err)
	}
	return book.With(c.Prices.File, data)
}
