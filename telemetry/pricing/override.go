package pricing

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"treq/telemetry"
)

// maxOverride bounds an override file.
const maxOverride = 4 << 20

// With gives a book with a file laid over it, YAML or JSON. What the file says of
// a model replaces what the book says of the model with the same provider and id;
// other models are added and found before the book's. name is the file's, for errors.
//
// The error, of kind telemetry.Unprocessable, names each fault with its line and
// key; b is as it was.
func (b *Book) With(name string, data []byte) (*Book, error) {
	doc, source, err := parseOverride(name, data)
	if err != nil {
		return nil, err
	}
	merged := b.doc
	merged.merge(&doc)
	made, err := newBook(merged, append(b.Sources(), source), versionOf(b.doc.Date, b.version, data))
	if err != nil {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "%s: %s", name, err)
	}
	return made, nil
}

func parseOverride(name string, data []byte) (document, Source, error) {
	p := parser{file: name, told: map[string]bool{}}
	var doc document
	source := Source{Name: name}
	if len(data) > maxOverride {
		p.fault(0, "", "larger than 4 MiB")
		return doc, source, p.err()
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return doc, source, nil
	}
	var root yaml.Node
	if err := yaml.Load(data, &root); err != nil {
		line := 0
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			line = e.Mark.Line
		}
		p.fault(line, "", "not YAML: "+firstLine(err.Error()))
		return doc, source, p.err()
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		p.document(root.Content[0], &doc)
	}
	if doc.Source != "" {
		source.Name = doc.Source
	}
	if doc.Date != "" {
		source.Date, _ = time.Parse(time.DateOnly, doc.Date)
	}
	source.Models = doc.models()
	return doc, source, p.err()
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// parser reads YAML nodes strictly and keeps every fault.
type parser struct {
	file   string
	faults []string
	told   map[string]bool // providers that the file has described, by id
}

func (p *parser) fault(line int, key, reason string) {
	where := p.file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", p.file, line)
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

// fields reads a mapping by the readers of its keys.
type fields map[string]func(n *yaml.Node, key string)

func (p *parser) mapping(n *yaml.Node, key string, f fields) {
	if n.Kind != yaml.MappingNode {
		p.fault(n.Line, key, "want keys and values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		full := name
		if key != "" {
			full = key + "." + name
		}
		read := f[name]
		if read == nil {
			read = f["*"]
		}
		switch {
		case seen[name]:
			p.fault(n.Content[i].Line, full, "given twice")
		case read == nil:
			p.fault(n.Content[i].Line, full, "not known here")
		default:
			read(n.Content[i+1], full)
		}
		seen[name] = true
	}
}

func (p *parser) list(n *yaml.Node, key string, read func(n *yaml.Node, key string)) {
	if n.Kind != yaml.SequenceNode {
		p.fault(n.Line, key, "want a list")
		return
	}
	for i, item := range n.Content {
		read(item, fmt.Sprintf("%s[%d]", key, i))
	}
}

// scalar gives the text of a single value, false and a fault otherwise.
func (p *parser) scalar(n *yaml.Node, key string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		p.fault(n.Line, key, "want a single value")
		return "", false
	}
	if len(n.Value) > 200 {
		p.fault(n.Line, key, "longer than 200 bytes")
		return "", false
	}
	return n.Value, true
}

func (p *parser) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if s, ok := p.scalar(n, key); ok {
			if *to = strings.TrimSpace(s); *to == "" {
				p.fault(n.Line, key, "empty")
			}
		}
	}
}

// lower reads a name that is compared without case.
func (p *parser) lower(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		p.text(to)(n, key)
		*to = strings.ToLower(*to)
	}
}

func (p *parser) texts(to *[]string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		p.list(n, key, func(n *yaml.Node, key string) {
			var s string
			p.lower(&s)(n, key)
			*to = append(*to, s)
		})
	}
}

func (p *parser) truth(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if s, ok := p.scalar(n, key); ok {
			if s != "true" && s != "false" {
				p.fault(n.Line, key, "want true or false")
			}
			*to = s == "true"
		}
	}
}
