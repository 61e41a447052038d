package redact

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"treq/telemetry"
)

// Rules say what is looked for and what becomes of it. The zero value looks for nothing.
type Rules struct {
	// Kinds gives the mode of each kind, by name; a kind that is missing is kept.
	Kinds map[string]Mode
	// Fields gives the mode of whole attributes by name, whatever they hold; a name
	// may end in "*". Numbers and truths have no words: they are kept or dropped.
	Fields map[string]Mode
	// Patterns are the user's own.
	Patterns []Pattern
	// Content says whether what people and models wrote is kept; "" keeps it.
	Content Content
	// Key is what hashes are keyed with: as long as it is the same, so are they. All
	// rules but empty ones need one, since people's ids are hashed where the rest is masked.
	Key telemetry.Secret
}

// Pattern is an expression that finds what only its user knows.
type Pattern struct {
	// Name is 1 to 32 lower-case letters and "_"; it stands in the mask.
	Name string
	// Match is an expression of RE2, at most 500 bytes, that matches no empty text
	// and no mask.
	Match string
	// Mode is what becomes of it; "" is Mask.
	Mode Mode
}

// The most that own patterns may cost: RE2 is linear in the text and in the pattern.
const (
	mostPatterns   = 32
	longestPattern = 500
	mostFields     = 256
)

// Brazil gives the rules that --redact=br stands for: every kind is masked, and a
// match in a person's or conversation's id is hashed, so that people stay apart.
func Brazil() Rules {
	r := Rules{Kinds: map[string]Mode{}}
	for _, name := range kindNames {
		r.Kinds[name] = Mask
	}
	return r
}

// Empty tells whether the rules change nothing.
func (r *Rules) Empty() bool {
	for _, m := range r.Kinds {
		if m != Keep {
			return false
		}
	}
	return len(r.Fields) == 0 && len(r.Patterns) == 0 && r.Content != NoContent
}

// Validate names every fault by its key; nil for usable rules, else a join of
// *telemetry.Error of kind Unprocessable.
func (r *Rules) Validate() error {
	var faults []string
	at := func(key, format string, args ...any) {
		faults = append(faults, key+": "+fmt.Sprintf(format, args...))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Kinds)) {
		if _, ok := kindNamed(name); !ok {
			at("kinds."+name, "is not known; known are %s", strings.Join(kindNames[:], ", "))
		}
		checkMode(at, "kinds."+name, r.Kinds[name])
	}
	if len(r.Fields) > mostFields {
		at("fields", "has %d entries; %d are allowed", len(r.Fields), mostFields)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		if reason := wrongField(name); reason != "" {
			at("fields."+name, "%s", reason)
		}
		checkMode(at, "fields."+name, r.Fields[name])
	}
	if len(r.Patterns) > mostPatterns {
		at("patterns", "has %d entries; %d are allowed", len(r.Patterns), mostPatterns)
	}
	for i := range r.Patterns {
		r.Patterns[i].validate(fmt.Sprintf("patterns[%d]", i), at)
	}
	if r.Content != "" && r.Content != KeepContent && r.Content != NoContent {
		at("content", "%q is not known; known are keep and none", string(r.Content))
	}
	if len(faults) == 0 {
		return nil
	}
	return telemetry.Errorf(telemetry.Unprocessable, "%s", strings.Join(faults, "\n"))
}

// wrongField says what is wrong with the name of a field, "" if nothing is.
func wrongField(name string) string {
	if name == "" || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
		return `want the name of an attribute, or its beginning and "*"`
	}
	return ""
}

func checkMode(at func(key, format string, args ...any), key string, m Mode) {
	if !slices.Contains(Modes(), m) {
		at(key, "%q is no mode; modes are keep, mask, hash and drop", string(m))
	}
}

var patternName = regexp.MustCompile(`^[a-z_]{1,32}$`)

func (p *Pattern) validate(key string, at func(key, format string, args ...any)) {
	if !patternName.MatchString(p.Name) {
		at(key+".name", `want 1 to 32 of a-z and "_"`)
	}
	if p.Mode != "" {
		checkMode(at, key+".mode", p.Mode)
	}
	if len(p.Match) > longestPattern || p.Match == "" {
		at(key+".match", "want an expression of 1 to %d bytes", longestPattern)
		return
	}
	re, err := regexp.Compile(p.Match)
	if err != nil {
		at(key+".match", "%v", err)
		return
	}
	if re.MatchString("") {
		at(key+".match", "matches the empty text")
		return
	}
	masks := append(slices.Clone(kindNames[:]), p.Name)
	for _, name := range masks {
		if mask := "[" + strings.ToUpper(name) + "]"; re.MatchString(mask) {
			at(key+".match", "matches %s, which is what stands in the place of what was found", mask)
			return
		}
	}
}
