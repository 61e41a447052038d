package config

import (
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Show writes the values in force as a file that Load reads back, each with where
// it came from. Secrets are hidden.
func (l Loaded) Show(w io.Writer) error {
	c := l.Config
	c.Sinks = slices.Clone(c.Sinks)
	for i, s := range c.Sinks {
		c.Sinks[i] = s.WithDefaults()
		c.Sinks[i].Endpoint = shownURL(c.Sinks[i].Endpoint)
	}
	c.History.URL, c.History.RemoteWrite.URL = shownAddress(c.History.URL), shownAddress(c.History.RemoteWrite.URL)
	var root yaml.Node
	if err := root.Encode(c); err != nil {
		return err
	}
	l.annotate(&root, "")
	text, err := yaml.Dump(&root)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// annotate comments every setting, and within lists what has an origin of its own.
func (l Loaded) annotate(n *yaml.Node, key string) {
	switch n.Kind {
	case yaml.MappingNode:
		prune(n, key)
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			k := childKey(key, name.Value)
			l.annotate(value, k)
			origin, known := l.Origins[k]
			if !known && !isSetting(k) {
				continue
			}
			switch {
			case value.Kind == yaml.ScalarNode || len(value.Content) == 0:
				value.LineComment = origin.String()
			case isSetting(k):
				name.LineComment = origin.String()
			}
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			k := itemKey(key, i)
			l.annotate(c, k)
			if origin, known := l.Origins[k]; known && c.Kind == yaml.MappingNode && c.Content[1].LineComment == "" {
				c.Content[1].LineComment = origin.String()
			}
		}
	}
}

// prune drops the empty keys of list items: there the exporter's and the rules'
// own defaults hold, and an empty value would not say which. A map's keys are the
// user's, and a header may be empty.
func prune(n *yaml.Node, key string) {
	if t, ok := lookup(reflect.TypeFor[Config](), key); !strings.Contains(key, "[") || ok && t.Kind() == reflect.Map {
		return
	}
	kept := n.Content[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i+1].Value {
		case "", "0", "0s":
			if n.Content[i+1].Kind == yaml.ScalarNode || len(n.Content[i+1].Content) == 0 {
				continue
			}
		}
		kept = append(kept, n.Content[i], n.Content[i+1])
	}
	n.Content = kept
}

func isSetting(key string) bool {
	for _, s := range settings {
		if s.Key == key {
			return true
		}
	}
	return false
}
