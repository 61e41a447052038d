package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Sources are where settings come from.
type Sources struct {
	// Flags holds the values of the flags that were given, by name without dashes.
	Flags map[string]string
	// Env reads an environment variable; "" is unset.
	Env func(string) string
	// File is the path of the YAML file; "" is none.
	File string
}

// Loaded is the outcome of Load.
type Loaded struct {
	Config Config
	// Origins tells where each key that is not a default came from. List items and
	// map values stand under their own keys too ("sinks[0].endpoint").
	Origins map[string]Origin
	// File is the path of the YAML file; "" is none.
	File string
	// Warnings are what a person should know and need not mend.
	Warnings []string
}

// Load reads the sources, flags over environment over file over defaults, and
// checks the whole. The error is Problems, or one of reading the file.
func Load(src Sources) (Loaded, error) {
	var content []byte
	if src.File != "" {
		var err error
		if content, err = os.ReadFile(src.File); err != nil {
			return Loaded{}, err
		}
	}
	return load(src, content)
}

// load is Load with the file's content at hand.
func load(src Sources, content []byte) (Loaded, error) {
	l := Loaded{Config: Defaults(), Origins: map[string]Origin{}, File: src.File}
	var problems Problems
	if src.File != "" {
		problems = append(problems, l.applyFile(src.File, content, src.Env)...)
	}
	for _, s := range settings {
		if text, origin := s.fromEnvironment(src.Env); text != "" {
			problems = append(problems, l.applyText(s, text, origin)...)
		}
	}
	for _, s := range settings {
		if text, given := src.Flags[s.Flag]; given && s.Flag != "" {
			problems = append(problems, l.applyText(s, text, Origin{Name: "--" + s.Flag})...)
		}
	}
	l.Config.derive(func(key string) bool { _, ok := l.Origins[key]; return ok })
	if len(problems) > 0 {
		return Loaded{}, append(problems, l.besides(problems)...).sorted()
	}
	l.addSinks(src.Env)
	for _, p := range l.Config.Validate() {
		p.Origin = l.origin(p.Key)
		problems = append(problems, p)
	}
	if len(problems) > 0 {
		return Loaded{}, problems.sorted()
	}
	return l, nil
}

// besides gives what is wrong apart from what could not be read, so that all is told
// at once. A rule that looks at something unread, or at what stands beside it, is
// left for the next time: what it says may follow from that.
func (l *Loaded) besides(unread Problems) (others Problems) {
	for _, u := range unread {
		if u.Key == "" { // the file as a whole
			return nil
		}
	}
	for _, p := range l.Config.Validate() {
		p.Origin = l.origin(p.Key)
		if p.Origin.Name != "" && !slices.ContainsFunc(unread, func(u Problem) bool { return related(p.Key, u.Key) }) {
			others = append(others, p)
		}
	}
	return others
}

// related tells whether one of two keys holds the other, or both stand in one section.
func related(a, b string) bool {
	parent := func(key string) string { return key[:max(0, strings.LastIndexByte(key, '.'))] }
	return a == b || within(a, b) || within(b, a) || parent(a) != "" && parent(a) == parent(b)
}

// within tells whether key stands below parent.
func within(key, parent string) bool {
	rest, below := strings.CutPrefix(key, parent)
	return below && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// fromEnvironment gives the setting's text and the variable it stands in, ""
// where none is set. A platform's PORT means every interface.
func (s Setting) fromEnvironment(env func(string) string) (string, Origin) {
	if s.Flag == "" {
		return "", Origin{}
	}
	if v := strings.TrimSpace(env(s.Env())); v != "" {
		return v, Origin{Name: s.Env()}
	}
	if s.Alias == "" {
		return "", Origin{}
	}
	v := strings.TrimSpace(env(s.Alias))
	if v != "" && s.Alias == "PORT" {
		v = ":" + v
	}
	return v, Origin{Name: s.Alias}
}

// applyText sets one setting from the text of a flag or a variable, by the same
// decoder that reads the file.
func (l *Loaded) applyText(s Setting, text string, origin Origin) Problems {
	root := leaf(typeAt(s.Key), text)
	parts := strings.Split(s.Key, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		root = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar(parts[i]), root}}
	}
	if err := root.Load(&l.Config, yaml.WithKnownFields()); err != nil {
		return Problems{{Origin: origin, Key: s.Key, Reason: reason(err, typeAt(s.Key))}}
	}
	l.Origins[s.Key] = origin
	return nil
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// leaf makes the node of a value written as text. A list's items are separated by
// commas; brackets and quotes around them are taken off, as other programs that
// share an environment file write lists in JSON.
func leaf(t reflect.Type, text string) *yaml.Node {
	switch t.Kind() {
	case reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "["), "]")
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.Trim(strings.TrimSpace(item), `"'`); item != "" {
				list.Content = append(list.Content, scalar(item))
			}
		}
		return list
	case reflect.Bool, reflect.Int, reflect.Float64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	default:
		return scalar(text)
	}
}

// origin finds where the nearest key at or above key came from.
func (l *Loaded) origin(key string) Origin {
	for {
		if o, ok := l.Origins[key]; ok {
			return o
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return Origin{}
		}
		key = key[:cut]
	}
}

func childKey(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}

func itemKey(parent string, i int) string { return fmt.Sprintf("%s[%d]", parent, i) }
