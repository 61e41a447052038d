package config

import "time"

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

// SpanRule matches spans. Fields that are set must all match; "*" in them stands
// for any text.
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

func defaultChats() Chats {
	return Chats{
		From:     FromBoth,
		Entries:  []SpanRule{},
		Exclude:  []SpanRule{},
		BareLLM:  true,
		Session:  Duration(10 * time.Minute),
		Remember: Duration(15 * time.Minute),
		Close: Closing{
			Root:    Duration(6 * time.Second),
			Chain:   Duration(30 * time.Second),
			Leaves:  Duration(5 * time.Minute),
			Longest: Duration(time.Hour),
		},
	}
}
