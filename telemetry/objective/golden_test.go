package objective_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/objective"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares with a file, or rewrites it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s differs; rewrite it with -update if that is meant (-want +got):\n%s", path, diff)
	}
}

func compiled(t *testing.T, d *objective.Document) *objective.Rules {
	t.Helper()
	rules, err := d.Compile(objective.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func ruleFile(t *testing.T, d *objective.Document) []byte {
	t.Helper()
	rules, err := d.Compile(objective.Options{Scraped: true})
	if err != nil {
		t.Fatal(err)
	}
	file, err := rules.File()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRules holds the rules of the built-in objectives, which ship as a file, and of
// a file that uses every key to what they were when somebody read them.
func TestRules(t *testing.T) {
	golden(t, filepath.Join("..", "..", "deploy", "prometheus", "treq.rules.yml"), ruleFile(t, objective.Builtin()))

	data, err := os.ReadFile(filepath.Join("testdata", "own.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := objective.Load("own.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "own.rules.yaml"), ruleFile(t, own))
}

// TestReferenceIsCurrent holds the table in the documentation to the one in the
// code; -update rewrites it.
func TestReferenceIsCurrent(t *testing.T) {
	const begin, end = "<!-- metrics: written by make docs -->\n", "<!-- end of metrics -->"
	path := filepath.Join("..", "..", "docs", "objectives.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines around its table", path)
	}
	golden(t, path, []byte(before+begin+objective.Reference()+end+after))
	_, example, _ := strings.Cut(string(data), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := objective.Load("docs/objectives.md", []byte(example)); err != nil {
		t.Error(err)
	}
}
