package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
	"treq/telemetry/export"
)

const reference = "../../docs/configuration.md"

// The table in the documentation is the one in the code; make docs rewrites it.
func TestReferenceIsCurrent(t *testing.T) {
	const begin, end = "<!-- settings: written by make docs -->\n", "<!-- end of settings -->"
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines around its table", reference)
	}
	var b strings.Builder
	if err := config.WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(reference, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(b.String(), old); diff != "" {
		t.Errorf("%s is not current; make docs mends it (-code +document):\n%s", reference, diff)
	}
}

// The file shown in the documentation is one that loads, and its table of a
// sink's keys is whole.
func TestReferenceOfSinks(t *testing.T) {
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for f := range reflect.TypeFor[export.Config]().Fields() {
		if key := f.Tag.Get("yaml"); !strings.Contains(text, "\n| `"+key+"` |") {
			t.Errorf("%s does not describe the sinks' key %s", reference, key)
		}
	}
	examples := strings.Split(text, "```yaml\n")[1:]
	if len(examples) == 0 {
		t.Fatalf("%s shows no file", reference)
	}
	for _, example := range examples {
		example, _, _ = strings.Cut(example, "```")
		load(t, config.Sources{
			File: write(t, example),
			Env: environment(map[string]string{
				"LANGSMITH_EU_KEY": "key", "TELEGRAM_TOKEN": "key", "SMTP_PASSWORD": "key", "HOOK_SECRET": "key",
			}),
		})
	}
}
