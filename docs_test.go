package treq_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/instrument"
)

var update = flag.Bool("update", false, "write the generated parts of the documentation")

// written compares a generated text with what a document holds; make docs makes
// them equal.
func written(t *testing.T, path, got, want string, replace func() string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(replace()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not current; make docs mends it (-code +document):\n%s", path, diff)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !(os.IsNotExist(err) && *update) {
		t.Fatal(err)
	}
	return string(data)
}

func TestDocumentedInstruments(t *testing.T) {
	const path = "docs/instruments.md"
	want := instrument.Reference()
	written(t, path, read(t, path), want, func() string { return want })
}

func TestDocumentedRooms(t *testing.T) {
	const path, begin, end = "CONTRIBUTING.md", "<!-- rooms: written by make docs -->\n", "<!-- end of rooms -->"
	before, rest, found := strings.Cut(read(t, path), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines around its table", path)
	}
	var b strings.Builder
	b.WriteString("| package | may import | because |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		imports := "nothing of ours"
		if list := rooms[name].imports; len(list) > 0 {
			imports = strings.Join(list, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, imports, rooms[name].why)
	}
	written(t, path, got, b.String(), func() string { return before + begin + b.String() + end + after })
}

// Every module that the sources import, tests included, has its line and reason
// in CONTRIBUTING.md, and every line a module that is imported.
func TestDocumentedDependencies(t *testing.T) {
	_, section, found := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Dependencies\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no section on dependencies")
	}
	used := map[string]bool{}
	for _, line := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .+ \\|$").FindAllStringSubmatch(section, -1) {
		used[line[1]] = false
	}
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}{{"\n"}}{{join .TestImports "\n"}}{{"\n"}}{{join .XTestImports "\n"}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	missing := map[string]bool{}
	for _, imported := range strings.Fields(string(out)) {
		if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
			continue // ours, or the standard library's
		}
		listed := false
		for path := range used {
			if imported == path || strings.HasPrefix(imported, path+"/") {
				used[path], listed = true, true
			}
		}
		if !listed {
			missing[imported] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s is imported, and CONTRIBUTING.md does not say why", path)
	}
	for _, path := range slices.Sorted(maps.Keys(used)) {
		if !used[path] {
			t.Errorf("CONTRIBUTING.md gives a reason for %s, which nothing imports", path)
		}
	}
}

// Every link inside the documents leads somewhere.
func TestDocumentedLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, name := range sources(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		dir := ""
		if cut := strings.LastIndex(name, "/"); cut >= 0 {
			dir = name[:cut+1]
		}
		for _, found := range link.FindAllStringSubmatch(read(t, name), -1) {
			if _, err := os.Stat(dir + found[1]); err != nil {
				t.Errorf("%s links to %s, which is not there", name, found[1])
			}
		}
	}
}
