package instrument

import (
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

func texts(kvs []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range kvs {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, def := range Table() {
		if seen[def.Name] {
			t.Errorf("%s stands twice in the table", def.Name)
		}
		seen[def.Name] = true
		if def.Unit == "" && def.Name != "" || !strings.HasSuffix(def.Description, ".") {
			t.Errorf("%s: unit %q, description %q", def.Name, def.Unit, def.Description)
		}
		if len(def.Attributes) > maxAttributes {
			t.Errorf("%s has %d attributes, a key holds %d", def.Name, len(def.Attributes), maxAttributes)
		}
		if isHistogram := def.Kind == Histogram || def.Kind == IntHistogram; isHistogram != (len(def.Bounds) > 0) {
			t.Errorf("%s: a %s with bounds %v", def.Name, def.Kind, def.Bounds)
		}
		if !slices.IsSorted(def.Bounds) || len(slices.Compact(slices.Clone(def.Bounds))) != len(def.Bounds) {
			t.Errorf("%s: bounds %v do not ascend", def.Name, def.Bounds)
		}
	}
}

func TestReference(t *testing.T) { golden(t, "instruments.md", Reference()) }

func TestNewRefusesOptionsOutOfRange(t *testing.T) {
	for _, o := range []Options{{MaxValues: -1}, {MaxValues: 10001}, {MaxSeries: 3}, {MaxSeries: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestFamilies(t *testing.T) {
	family := FamilyOf(DefaultFamilies())
	for model, want := range map[string]string{
		"llama-3.1-8b-instant": "8b", "Gemma-INSTANT": "8b", "LLaMA-3.3-70B-versatile": "70b",
		"glm-4.7": "glm4", "ZhipuAI/GLM-4": "glm4", "gpt-4o": Other, "": "",
		"glm-8b": "8b", // the first row wins
	} {
		if got := family(model); got != want {
			t.Errorf("family of %q is %q, want %q", model, got, want)
		}
	}
	if got := FamilyOf([]Family{{Name: "big", Contains: []string{"OPUS"}}})("claude-opus-4"); got != "big" {
		t.Errorf("a table in capitals gave %q", got)
	}
}
