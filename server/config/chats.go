package config

import (
	"time"

	"treq/telemetry/instrument"
	"treq/telemetry/understand"
)

// Chats says what counts as one chat (docs/semantics.md, section 3).
type Chats struct {
	// Preset names a rule set that ships with the program: "treq" or "".
	Preset string `yaml:"preset"`
	// From is where chats are taken from when both traces and posts deliver.
	From ChatSource `yaml:"from"`
	// Entries mark the spans that are a chat; a service with such a rule has no others.
	Entries []SpanRule `yaml:"entries"`
	// Exclude marks spans that are never a chat.
	Exclude []SpanRule `yaml:"exclude"`
	// BareLLM counts a model call under no other span as a chat.
	BareLLM bool `yaml:"bare_llm"`
	// Session is the age from which a span is a session of many chats.
	Session Duration `yaml:"session"`
	// Remember is how long a closed fragment takes late spans.
	Remember Duration `yaml:"remember"`
	Close    Closing  `yaml:"close"`
}

// Closing is how long a fragment of a trace waits for more, by what stands at
// its top.
type Closing struct {
	Root    Duration `yaml:"root"`    // no parent, or a SERVER span
	Chain   Duration `yaml:"chain"`   // a chain, workflow or agent whose parent has not come
	Leaves  Duration `yaml:"leaves"`  // leaves alone
	Longest Duration `yaml:"longest"` // after its first span, whatever comes
}

// SpanRule matches spans exactly; fields that are left out match any.
type SpanRule struct {
	Service string `yaml:"service"`
	Name    string `yaml:"name"`
	Route   string `yaml:"route"`
}

// ChatSource says which door's chats count.
type ChatSource string

// The sources.
const (
	FromBoth   ChatSource = "both"
	FromTraces ChatSource = "traces"
	FromAPI    ChatSource = "api"
)

// UnmarshalText reads both, traces or api.
func (s *ChatSource) UnmarshalText(text []byte) error {
	return choose(s, text, FromBoth, FromTraces, FromAPI)
}

// Family sorts models under one name of the documented counts.
type Family struct {
	Name string `yaml:"name"`
	// Match are parts of model names, compared without regard to case; any one will do.
	Match []string `yaml:"match"`
}

// Rules gives what the meter counts by: how spans become chats, and the model
// families.
func (c *Config) Rules() (understand.Config, []instrument.Family) {
	rules := understand.DefaultConfig()
	rules.CloseRoot = time.Duration(c.Chats.Close.Root)
	rules.CloseChain = time.Duration(c.Chats.Close.Chain)
	rules.CloseLeaf = time.Duration(c.Chats.Close.Leaves)
	rules.CloseMax = time.Duration(c.Chats.Close.Longest)
	rules.Remember = time.Duration(c.Chats.Remember)
	rules.Session = time.Duration(c.Chats.Session)
	rules.BareLLM = c.Chats.BareLLM
	rules.Preset = c.Chats.Preset
	rules.Entries = convert(c.Chats.Entries)
	rules.Exclude = convert(c.Chats.Exclude)
	switch c.Chats.From {
	case FromTraces:
		rules.ChatsFrom = understand.FromTraces
	case FromAPI:
		rules.ChatsFrom = understand.FromAPI
	case FromBoth:
		rules.ChatsFrom = understand.FromBoth
	}
	families := make([]instrument.Family, len(c.Families))
	for i, f := range c.Families {
		families[i] = instrument.Family{Name: f.Name, Contains: f.Match}
	}
	return rules, families
}

func convert(rules []SpanRule) []understand.Rule {
	converted := make([]understand.Rule, len(rules))
	for i, r := range rules {
		converted[i] = understand.Rule(r)
	}
	return converted
}

// defaultChats takes the delays from where they are used, so that they are said once.
func defaultChats() Chats {
	d := understand.DefaultConfig()
	return Chats{
		From:     FromBoth,
		Entries:  []SpanRule{},
		Exclude:  []SpanRule{},
		BareLLM:  d.BareLLM,
		Session:  Duration(d.Session),
		Remember: Duration(d.Remember),
		Close: Closing{
			Root:    Duration(d.CloseRoot),
			Chain:   Duration(d.CloseChain),
			Leaves:  Duration(d.CloseLeaf),
			Longest: Duration(d.CloseMax),
		},
	}
}

func defaultFamilies() []Family {
	var families []Family
	for _, f := range instrument.DefaultFamilies() {
		families = append(families, Family{Name: f.Name, Match: f.Contains})
	}
	return families
}
