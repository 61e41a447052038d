package config

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"treq/telemetry"
)

// Portable gives the settings that differ from the defaults as a file that another
// process can be started with. Secrets are left out: each stands as the variable that
// variables lists, which that process must be given.
func (c Config) Portable() (file []byte, variables []string, err error) {
	now, usual := &yaml.Node{}, &yaml.Node{}
	if err := now.Encode(c); err != nil {
		return nil, nil, err
	}
	if err := usual.Encode(Defaults()); err != nil {
		return nil, nil, err
	}
	subtract(now, usual)
	variables = hideSecrets(now, "", nil)
	file, err = yaml.Dump(now)
	return file, variables, err
}

// subtract takes out of a mapping what another says too.
func subtract(n, usual *yaml.Node) {
	if n.Kind != yaml.MappingNode || usual == nil || usual.Kind != yaml.MappingNode {
		return
	}
	kept := n.Content[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		other := valueOf(usual, key.Value)
		if sameNode(value, other) {
			continue
		}
		subtract(value, other)
		kept = append(kept, key, value)
	}
	n.Content = kept
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func sameNode(a, b *yaml.Node) bool {
	if b == nil || a.Kind != b.Kind || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameNode(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// hideSecrets puts a variable in the place of every secret.
func hideSecrets(n *yaml.Node, key string, variables []string) []string {
	switch n.Kind {
	case yaml.MappingNode:
		prune(n, key)
		for i := 0; i+1 < len(n.Content); i += 2 {
			variables = hideSecrets(n.Content[i+1], childKey(key, n.Content[i].Value), variables)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			variables = hideSecrets(item, itemKey(key, i), variables)
		}
	case yaml.ScalarNode:
		if n.Value == telemetry.NewSecret("x").String() {
			name := "TREQ_" + strings.Trim(strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
					return r
				}
				return '_'
			}, strings.ReplaceAll(strings.ReplaceAll(key, "]", ""), "[", "_")), "_")
			name = strings.ToUpper(name) + "_SECRET"
			n.SetString("${" + name + "}")
			variables = append(variables, name)
		}
	}
	return variables
}
