package treq_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// SECURITY.md names the tests that hold each control. They all exist.
func TestControlsAreTested(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(text), -1) {
		if !there[name[1]] {
			t.Errorf("SECURITY.md names %s, which no file has", name[1])
		}
	}
	for _, name := range regexp.MustCompile("script `(\\w+)`").FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat("cmd/treq-telemetry/testdata/" + name[1] + ".txtar"); err != nil {
			t.Error(err)
		}
	}
	for n := range 18 {
		if row := fmt.Sprintf("\n| T%d | ", n+1); !strings.Contains(string(text), row) {
			t.Errorf("SECURITY.md has no row T%d", n+1)
		}
	}
}
