package redact

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"treq/telemetry"
)

// mostFile bounds a file of rules.
const mostFile = 1 << 20

// With lays a file of rules, YAML, over r and gives the whole; name is the file's, for
// errors. What the file says of a kind or field replaces what r says of it, patterns
// are added, and "preset: br" or "preset: none" replaces all that r says of kinds:
//
//	preset: br
//	kinds: {email: hash, phone: keep}
//	fields: {customer.name: hash, "internal.*": drop}
//	patterns:
//	  - {name: registration, match: 'M-\d{6}', mode: mask}
//	content: none
//
// The error, of kind telemetry.Unprocessable, names each fault with its line and key.
func (r Rules) With(name string, data []byte) (Rules, error) {
	p := parser{file: name}
	if len(data) > mostFile {
		p.fault(nil, "", "larger than 1 MiB")
		return r, p.err()
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return r, nil
	}
	var root yaml.Node
	if err := yaml.Load(data, &root); err != nil {
		at := &yaml.Node{}
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			at.Line = e.Mark.Line
		}
		line, _, _ := strings.Cut(err.Error(), "\n")
		p.fault(at, "", "not YAML: "+line)
		return r, p.err()
	}
	made := Rules{Kinds: map[string]Mode{}, Fields: map[string]Mode{}, Content: r.Content, Key: r.Key}
	for k, m := range r.Kinds {
		made.Kinds[k] = m
	}
	for k, m := range r.Fields {
		made.Fields[k] = m
	}
	made.Patterns = append(made.Patterns, r.Patterns...)
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		p.rules(root.Content[0], &made)
	}
	return made, p.err()
}

// parser reads YAML nodes strictly and keeps every fault.
type parser struct {
	file   string
	faults []string
}

func (p *parser) fault(n *yaml.Node, key, reason string) {
	where := p.file
	if n != nil && n.Line > 0 {
		where = fmt.Sprintf("%s:%d", p.file, n.Line)
	}
	if key != "" {
		where += ": " + key
	}
	// A file that is wrong all over is told by its first faults.
	if len(p.faults) < 20 {
		p.faults = append(p.faults, where+": "+reason)
	}
}

func (p *parser) err() error {
	if len(p.faults) == 0 {
		return nil
	}
	return telemetry.Errorf(telemetry.Unprocessable, "%s", strings.Join(p.faults, "\n"))
}

// mapping calls read with each key once.
func (p *parser) mapping(n *yaml.Node, key string, read func(name string, at, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.fault(n, key, "want keys and values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		at := n.Content[i]
		if seen[at.Value] {
			p.fault(at, join(key, at.Value), "given twice")
			continue
		}
		seen[at.Value] = true
		read(at.Value, at, n.Content[i+1])
	}
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func (p *parser) scalar(n *yaml.Node, key string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		p.fault(n, key, "want a single value")
		return ""
	}
	return n.Value
}

func (p *parser) rules(n *yaml.Node, r *Rules) {
	// The preset goes first, wherever it stands.
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "preset" {
				p.preset(n.Content[i+1], r)
			}
		}
	}
	p.mapping(n, "", func(name string, at, value *yaml.Node) {
		switch name {
		case "preset":
		case "kinds":
			p.modes(value, name, r.Kinds, func(kind string) string {
				if _, ok := kindNamed(kind); !ok {
					return "is not known; known are " + strings.Join(kindNames[:], ", ")
				}
				return ""
			})
		case "fields":
			p.modes(value, name, r.Fields, wrongField)
		case "patterns":
			if value.Kind != yaml.SequenceNode {
				p.fault(value, name, "want a list")
				return
			}
			for i, item := range value.Content {
				p.pattern(item, fmt.Sprintf("patterns[%d]", i), r)
			}
		case "content":
			r.Content = Content(p.scalar(value, name))
			if r.Content != KeepContent && r.Content != NoContent {
				p.fault(value, name, fmt.Sprintf("%q is not known; known are keep and none", string(r.Content)))
			}
		default:
			p.fault(at, name, "not known here; known are preset, kinds, fields, patterns, content")
		}
	})
}

func (p *parser) preset(n *yaml.Node, r *Rules) {
	switch name := p.scalar(n, "preset"); name {
	case "br":
		r.Kinds = Brazil().Kinds
	case "none":
		r.Kinds = map[string]Mode{}
	default:
		p.fault(n, "preset", fmt.Sprintf("%q is not known; known are br and none", name))
	}
}

// modes reads a mapping of names to modes; wrong tells what is wrong with a name.
func (p *parser) modes(n *yaml.Node, key string, to map[string]Mode, wrong func(string) string) {
	p.mapping(n, key, func(name string, at, value *yaml.Node) {
		if reason := wrong(name); reason != "" {
			p.fault(at, join(key, name), reason)
			return
		}
		to[name] = p.mode(value, join(key, name))
	})
}

func (p *parser) mode(n *yaml.Node, key string) Mode {
	m := Mode(p.scalar(n, key))
	checkMode(func(key, format string, args ...any) { p.fault(n, key, fmt.Sprintf(format, args...)) }, key, m)
	return m
}

func (p *parser) pattern(n *yaml.Node, key string, r *Rules) {
	var made Pattern
	p.mapping(n, key, func(name string, at, value *yaml.Node) {
		switch name {
		case "name":
			made.Name = p.scalar(value, join(key, name))
		case "match":
			made.Match = p.scalar(value, join(key, name))
		case "mode":
			made.Mode = p.mode(value, join(key, name))
		default:
			p.fault(at, join(key, name), "not known here; known are name, match, mode")
		}
	})
	if made.Mode == "" {
		made.Mode = Mask
	}
	made.validate(key, func(key, format string, args ...any) { p.fault(n, key, fmt.Sprintf(format, args...)) })
	if r.Patterns = append(r.Patterns, made); len(r.Patterns) == mostPatterns+1 {
		p.fault(n, "patterns", fmt.Sprintf("has more than %d entries", mostPatterns))
	}
}
