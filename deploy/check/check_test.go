package check

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// root is the top of the repository.
const root = "../.."

// program is the product, built once for the tests that ask it about settings.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "treq-deploy-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "treq-telemetry")
		build := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/treq-telemetry")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the product: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// accepts asks the product whether it would start with a file and variables.
func accepts(settings []byte, env ...string) error {
	dir, err := os.MkdirTemp("", "treq-settings-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "treq.yaml")
	if err := os.WriteFile(path, settings, 0o600); err != nil {
		return err
	}
	check := exec.Command(program, "config", "check", path)
	check.Env = append([]string{"HOME=" + dir}, env...)
	if out, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s\n%s", err, out, settings)
	}
	return nil
}

// documented are the environment variables that the product reads: those of its
// reference, and LangSmith's.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{"TREQ_CONFIG": true, "LANGCHAIN_TRACING_V2": true, "LANGSMITH_API_KEY": true, "LANGCHAIN_PROJECT": true}
	table, _, found := strings.Cut(string(read(t, "docs", "configuration.md")), "<!-- end of settings -->")
	if !found {
		t.Fatal("docs/configuration.md has no table of settings")
	}
	for _, name := range regexp.MustCompile("`([A-Z][A-Z0-9_]+)`").FindAllStringSubmatch(table, -1) {
		known[name[1]] = true
	}
	return known
}

// others are variables of ours that other programs read: Grafana's data source, and
// the Python client.
var others = map[string]bool{"TREQ_URL": true, "TREQ_MONITORING_URL": true, "TREQ_PORT": true}

// A name of a setting that is no setting would be passed over in silence.
func TestVariablesAreSettings(t *testing.T) {
	known := documented(t)
	name := regexp.MustCompile(`\bTREQ_[A-Z0-9_]+\b`)
	seen := 0
	for _, dir := range []string{"docker", "compose", "helm", "render", "systemd", "kubernetes", "python"} {
		err := filepath.WalkDir(filepath.Join(root, "deploy", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			for _, v := range name.FindAllString(string(content), -1) {
				seen++
				if !known[v] && !others[v] {
					t.Errorf("%s: %s is no setting", path, v)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 10 {
		t.Errorf("only %d variables were found", seen)
	}
}

// documents cuts a YAML stream and drops what holds nothing.
func documents(stream []byte) [][]byte {
	var docs [][]byte
	for _, doc := range regexp.MustCompile(`(?m)^---\s*$`).Split(string(stream), -1) {
		var v any
		if yaml.Unmarshal([]byte(doc), &v) == nil && v == nil {
			continue
		}
		docs = append(docs, bytes.TrimSpace([]byte(doc)))
	}
	return docs
}

func decode(content []byte, v any) error { return yaml.UnmarshalStrict(content, v) }

// run gives what a program says, whatever its exit code.
func run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return "", fmt.Errorf("%w: make deploy-check installs it", err)
	}
	return string(out), err
}

// tool finds a program that make deploy-check puts below .cache, or one on PATH.
func tool(t *testing.T, name string) string {
	t.Helper()
	if path, err := filepath.Abs(filepath.Join(root, ".cache", "bin", name)); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: make deploy-check installs it", err)
	}
	return path
}
