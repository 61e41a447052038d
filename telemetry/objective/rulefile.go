package objective

import (
	"bytes"
	"fmt"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"
)

// The rule file as Prometheus reads it. Maps are written in the order of their keys.
type (
	fileOfRules struct {
		Groups []fileGroup `yaml:"groups"`
	}
	fileGroup struct {
		Name     string     `yaml:"name"`
		Interval string     `yaml:"interval"`
		Rules    []fileRule `yaml:"rules"`
	}
	fileRule struct {
		Record        string            `yaml:"record,omitempty"`
		Alert         string            `yaml:"alert,omitempty"`
		Expr          string            `yaml:"expr"`
		For           string            `yaml:"for,omitempty"`
		KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
		Labels        map[string]string `yaml:"labels,omitempty"`
		Annotations   map[string]string `yaml:"annotations,omitempty"`
	}
)

// File writes the rules as a rule file of Prometheus 2.42 or later.
func (r *Rules) File() ([]byte, error) {
	var f fileOfRules
	for _, g := range r.Groups {
		group := fileGroup{Name: g.Name, Interval: model.Duration(g.Interval).String(), Rules: []fileRule{}}
		for _, rule := range g.Rules {
			out := fileRule{Record: rule.Record, Alert: rule.Alert, Expr: rule.Expr, Labels: rule.Labels, Annotations: rule.Annotations}
			if rule.For > 0 {
				out.For = promDuration(rule.For)
			}
			if rule.KeepFiringFor > 0 {
				out.KeepFiringFor = promDuration(rule.KeepFiringFor)
			}
			group.Rules = append(group.Rules, out)
		}
		f.Groups = append(f.Groups, group)
	}
	var b bytes.Buffer
	b.WriteString("# Written by treq-telemetry objectives rules.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("rule file: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("rule file: %w", err)
	}
	return b.Bytes(), nil
}
