package treqredact

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"treq/telemetry"
	"treq/telemetry/redact"
)

// minKey is how many bytes a key has at least: a shorter one can be tried out.
const minKey = 16

// Config is the processor's configuration; package redact of the product says what
// the rules mean. The zero value is refused: it would redact nothing.
type Config struct {
	// Preset is a set of rules to begin with: "br" or "".
	Preset string `mapstructure:"preset"`
	// File is a file of rules that is laid over the preset; "" is none.
	File string `mapstructure:"file"`
	// Kinds gives the mode of each kind and goes before preset and file.
	Kinds map[string]redact.Mode `mapstructure:"kinds"`
	// Fields gives the mode of whole attributes; a name may end in "*".
	Fields map[string]redact.Mode `mapstructure:"fields"`
	// Patterns are the user's own.
	Patterns []Pattern `mapstructure:"patterns"`
	// Content is "keep", or "none" to take away all that people and models wrote.
	Content redact.Content `mapstructure:"content"`
	// Key is what hashes are keyed with, of at least 16 bytes: equal in all replicas,
	// so that equal values stay equal.
	Key telemetry.Secret `mapstructure:"key"`
}

// Pattern is an expression that finds what only its user knows.
type Pattern struct {
	Name  string      `mapstructure:"name"`
	Match string      `mapstructure:"match"`
	Mode  redact.Mode `mapstructure:"mode"`
}

var _ confmap.Validator = (*Config)(nil)

// Validate names what is wrong by its key. It reads no file.
func (c *Config) Validate() error {
	if c.Preset != "" && c.Preset != "br" {
		return fmt.Errorf("preset: no preset is named %q; known: br", c.Preset)
	}
	if len(c.Key.Reveal()) < minKey {
		return fmt.Errorf("key: it has %d bytes and needs %d: the same text for all replicas, from the environment or a file", len(c.Key.Reveal()), minKey)
	}
	rules := c.over(c.preset())
	if c.File == "" && rules.Empty() {
		return errors.New("the rules change nothing: set preset, file, kinds, fields, patterns or content")
	}
	return rules.Validate()
}

// redactor gives what the configuration asks for.
func (c *Config) redactor() (*redact.Redactor, error) {
	rules := c.preset()
	if c.File != "" {
		data, err := os.ReadFile(c.File)
		if err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
		if rules, err = rules.With(c.File, data); err != nil {
			return nil, err
		}
	}
	rules = c.over(rules)
	if rules.Empty() {
		return nil, errors.New("the rules change nothing")
	}
	return redact.New(rules)
}

func (c *Config) preset() redact.Rules {
	if c.Preset == "br" {
		return redact.Brazil()
	}
	return redact.Rules{}
}

// over lays what the configuration itself says over rules.
func (c *Config) over(rules redact.Rules) redact.Rules {
	rules.Kinds, rules.Fields = merged(rules.Kinds, c.Kinds), merged(rules.Fields, c.Fields)
	rules.Patterns = slices.Clone(rules.Patterns)
	for _, p := range c.Patterns {
		rules.Patterns = append(rules.Patterns, redact.Pattern(p))
	}
	if c.Content != "" {
		rules.Content = c.Content
	}
	rules.Key = c.Key
	return rules
}

// merged gives both maps as one of its own; what over says goes first.
func merged(base, over map[string]redact.Mode) map[string]redact.Mode {
	all := map[string]redact.Mode{}
	for _, one := range []map[string]redact.Mode{base, over} {
		for name, mode := range one {
			all[name] = mode
		}
	}
	return all
}
