package objective

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"treq/telemetry"
)

// maxFile bounds a file of objectives.
const maxFile = 1 << 20

// maxFaults is how many faults of one file are told.
const maxFaults = 20

// apply lays a file over the document.
func (d *Document) apply(name string, data []byte) error {
	r := reader{file: name, doc: d}
	if len(data) > maxFile {
		r.fault(0, "", "larger than 1 MiB")
		return r.err()
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	var root yaml.Node
	if err := yaml.Load(data, &root); err != nil {
		if strings.Contains(err.Error(), "no documents") {
			return nil
		}
		line := 0
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			line = e.Mark.Line
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		r.fault(line, "", "not YAML: %s", strings.TrimPrefix(first, "yaml: "))
		return r.err()
	}
	n := &root
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	r.mapping(n, "", fields{
		"targets": func(n *yaml.Node, key string) { r.mapping(n, key, fields{"*": r.target}) },
		"alerts":  func(n *yaml.Node, key string) { r.mapping(n, key, fields{"*": r.alert}) },
	})
	r.check()
	return r.err()
}

// reader reads YAML nodes strictly and keeps every fault.
type reader struct {
	file   string
	doc    *Document
	faults []fault
	places map[string]int // the line of every key that this file gives
}

type fault struct {
	line      int
	key, text string
}

func (r *reader) fault(line int, key, format string, args ...any) {
	where := r.file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", r.file, line)
	}
	if key != "" {
		where += ": " + key
	}
	r.faults = append(r.faults, fault{line, key, where + ": " + fmt.Sprintf(format, args...)})
}

func (r *reader) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b fault) int { return a.line - b.line })
	var lines []string
	for _, f := range r.faults[:min(len(r.faults), maxFaults)] {
		lines = append(lines, f.text)
	}
	if more := len(r.faults) - maxFaults; more > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", r.file, more))
	}
	return telemetry.Errorf(telemetry.Unprocessable, "%s", strings.Join(lines, "\n"))
}

// fields reads a mapping by the readers of its keys; "*" reads all others.
type fields map[string]func(n *yaml.Node, key string)

func (r *reader) mapping(n *yaml.Node, key string, f fields) {
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, key, "want keys and values")
		return
	}
	if r.places == nil {
		r.places = map[string]int{}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		full := strings.TrimPrefix(key+"."+name, ".")
		read := f[name]
		if read == nil {
			read = f["*"]
		}
		switch {
		case read == nil:
			r.fault(n.Content[i].Line, full, "unknown key; known here: %s", known(f))
		case seen[name]:
			r.fault(n.Content[i].Line, full, "is there twice")
		case value.Kind == yaml.AliasNode:
			r.fault(value.Line, full, "aliases are not read here: write the value out")
		default:
			r.places[full] = n.Content[i].Line
			read(value, full)
		}
		seen[name] = true
	}
}

func known(f fields) string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// scalar gives the text of one value.
func (r *reader) scalar(n *yaml.Node, key string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		r.fault(n.Line, key, "want one value")
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if v, ok := r.scalar(n, key); ok {
			*to = strings.TrimSpace(v)
		}
	}
}

func (r *reader) number(to *float64, unit func() Unit) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		v, ok := r.scalar(n, key)
		if !ok {
			return
		}
		f, err := unit().parse(v)
		if err != nil {
			r.fault(n.Line, key, "%s", err)
			return
		}
		*to = f
	}
}

func (r *reader) duration(to *time.Duration) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		v, ok := r.scalar(n, key)
		if !ok {
			return
		}
		d, err := model.ParseDuration(v)
		if err != nil {
			r.fault(n.Line, key, "want a time such as 30s, 5m or 1d")
			return
		}
		*to = time.Duration(d)
	}
}

func (r *reader) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			r.fault(n.Line, key, "want true or false")
			return
		}
		*to = strings.EqualFold(n.Value, "true")
	}
}

// texts reads a mapping of texts, which replaces the one before.
func (r *reader) texts(to *map[string]string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		*to = map[string]string{}
		r.mapping(n, key, fields{"*": func(n *yaml.Node, key string) {
			var v string
			r.text(&v)(n, key)
			(*to)[key[strings.LastIndex(key, ".")+1:]] = v
		}})
	}
}

// wording reads a text by language: the languages that are given replace theirs.
func (r *reader) wording(to *Wording) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		merged := Wording{}
		for l, t := range *to {
			merged[l] = t
		}
		f := fields{}
		for _, l := range languages {
			f[l] = func(n *yaml.Node, key string) {
				var v string
				r.text(&v)(n, key)
				merged[l] = v
			}
		}
		r.mapping(n, key, f)
		*to = merged
	}
}

// languages are those that texts can be in.
var languages = []string{"pt-BR", "en"}

func (r *reader) list(to *[]string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if n.Kind != yaml.SequenceNode {
			r.fault(n.Line, key, "want a list")
			return
		}
		*to = nil
		for i, c := range n.Content {
			if v, ok := r.scalar(c, fmt.Sprintf("%s[%d]", key, i)); ok {
				*to = append(*to, v)
			}
		}
	}
}
