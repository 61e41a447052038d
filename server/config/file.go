package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// applyFile reads the YAML of a file over the configuration. Variables in
// scalars are expanded after parsing, so that no value can change the structure.
func (l *Loaded) applyFile(path string, data []byte, env func(string) string) Problems {
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		if strings.Contains(err.Error(), "no documents") {
			return nil
		}
		line := 0
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			line = e.Mark.Line
		}
		return Problems{{Origin: Origin{path, line}, Reason: reason(err, nil)}}
	}
	f := file{path: path, env: env, keys: map[place]string{}, parents: map[place]string{}, origins: l.Origins}
	f.walk(&doc, "")
	if f.aliased {
		return f.problems
	}
	// What stands where a variable is not set says nothing more.
	unset := f.problems
	f.problems = nil
	if err := doc.Load(&l.Config, yaml.WithKnownFields()); err != nil {
		f.explain(err)
	}
	for _, p := range f.problems {
		if !slices.ContainsFunc(unset, func(u Problem) bool { return u.Key == p.Key }) {
			unset = append(unset, p)
		}
	}
	return unset
}

// place is a position in a file, from 1.
type place struct{ line, column int }

// file relates positions to keys, because the decoder's errors carry the former
// and people look for the latter.
type file struct {
	path     string
	env      func(string) string
	keys     map[place]string
	parents  map[place]string // of keys: the mapping they stand in
	origins  map[string]Origin
	problems Problems
	aliased  bool // it has aliases, which are not followed
}

func (f *file) walk(n *yaml.Node, key string) {
	f.keys[place{n.Line, n.Column}] = key
	if key != "" {
		if _, known := f.origins[key]; !known {
			f.origins[key] = Origin{f.path, n.Line}
		}
	}
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			f.walk(c, key)
		}
	case yaml.MappingNode:
		dropEmpty(n, key)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := childKey(key, n.Content[i].Value)
			f.walkKey(n.Content[i], k, key)
			f.walk(n.Content[i+1], k)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			f.walk(c, itemKey(key, i))
		}
	case yaml.AliasNode:
		f.aliased = true
		f.fail(n, key, "aliases are not read here: write the value out")
	case yaml.ScalarNode:
		f.expand(n, key)
	}
}

// dropEmpty takes out known keys with nothing behind them: they say nothing, so
// the default holds.
func dropEmpty(n *yaml.Node, key string) {
	kept := n.Content[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		_, known := lookup(reflect.TypeFor[Config](), childKey(key, name.Value))
		if known && value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
			continue
		}
		kept = append(kept, name, value)
	}
	n.Content = kept
}

func (f *file) walkKey(n *yaml.Node, key, parent string) {
	f.keys[place{n.Line, n.Column}] = key
	f.parents[place{n.Line, n.Column}] = parent
	f.origins[key] = Origin{f.path, n.Line}
}

func (f *file) fail(n *yaml.Node, key, reason string) {
	f.problems = append(f.problems, Problem{Origin{f.path, n.Line}, key, reason})
}

// variable matches ${NAME}, ${NAME:-default} and $${, which stands for ${ itself.
var variable = regexp.MustCompile(`\$\$\{|\$\{([^}:]*)(?::-([^}]*))?\}`)

func (f *file) expand(n *yaml.Node, key string) {
	if !strings.Contains(n.Value, "${") {
		return
	}
	n.Value = variable.ReplaceAllStringFunc(n.Value, func(m string) string {
		if m == "$${" {
			return "${"
		}
		sub := variable.FindStringSubmatch(m)
		if v := f.env(sub[1]); v != "" {
			return v
		}
		if strings.Contains(m, ":-") {
			return sub[2]
		}
		f.fail(n, key, fmt.Sprintf("the environment variable %s is not set", sub[1]))
		return ""
	})
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
		// What the variable holds decides the type, as if it had been written there.
		n.Tag = ""
	}
}

// explain turns the decoder's errors into problems with keys.
func (f *file) explain(err error) {
	list, ok := errors.AsType[*yaml.LoadErrors](err)
	if !ok {
		f.problems = append(f.problems, Problem{Origin{Name: f.path}, "", reason(err, nil)})
		return
	}
	for _, e := range list.Errors {
		at := place{e.Mark.Line, e.Mark.Column}
		f.problems = append(f.problems, Problem{Origin{f.path, at.line}, f.keys[at], f.reason(e, at)})
	}
}

func (f *file) reason(e *yaml.LoadError, at place) string {
	if _, first, twice := strings.Cut(e.Message, " already defined"); twice {
		return "is there twice" + first
	}
	if strings.Contains(e.Message, " not found in type ") {
		t, ok := lookup(reflect.TypeFor[Config](), f.parents[at])
		if !ok || !section(t) {
			return "unknown key"
		}
		return "unknown key; known here: " + strings.Join(keysOf(t), ", ")
	}
	t, _ := lookup(reflect.TypeFor[Config](), f.keys[at])
	return reason(e, t)
}

// construct matches the decoder's words for a value of the wrong type. They show
// the value, which may have come from a variable that holds a secret, and a Go
// type; reason shows neither.
var construct = regexp.MustCompile(`(?s)^cannot construct (!!\w+)`)

// reason gives an error of the decoder in words for people. want is the type of
// the key, nil if there is none.
func reason(err error, want reflect.Type) string {
	message := err.Error()
	if list, ok := errors.AsType[*yaml.LoadErrors](err); ok && len(list.Errors) > 0 {
		message = list.Errors[0].Message
	} else if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		message = e.Message
	}
	m := construct.FindStringSubmatch(message)
	if m == nil || want == nil {
		return strings.TrimPrefix(message, "yaml: ")
	}
	return "want " + wanted(want) + ", got " + got(m[1])
}

func wanted(t reflect.Type) string {
	switch {
	case section(t), t.Kind() == reflect.Map:
		return "keys with values"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case readsText(t), t.Kind() == reflect.String:
		return "one text"
	default:
		return "a number"
	}
}

func got(tag string) string {
	switch tag {
	case "!!map":
		return "keys with values"
	case "!!seq":
		return "a list"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	default:
		return "a text"
	}
}
