package e2e

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

var update = flag.Bool("update", false, "write the generated files that tests compare")

// nextjs gives the directory of the panel.
func nextjs(t *testing.T) string {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "deploy", "nextjs")
}

// inDirectory runs a program in a directory and fails the test when it fails.
func inDirectory(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// TestPanelTypesAreCurrent makes the types of the documents of what the service says of
// itself, and wants those that are committed.
func TestPanelTypesAreCurrent(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	description := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(description, s.Get("/openapi.json").Body, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := nextjs(t)
	made := filepath.Join(t.TempDir(), "telemetry.d.ts")
	inDirectory(t, dir, "node_modules/.bin/openapi-typescript", description, "--output", made)
	got, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	committed := filepath.Join(dir, "telemetry.d.ts")
	if *update {
		if err := os.WriteFile(committed, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("deploy/nextjs/telemetry.d.ts is not of this API (go test ./test/e2e -run TestPanelTypesAreCurrent -update):\n%s", diff)
	}
}

// TestPanel checks the panel's types, builds it with Vite, and shows it in Chromium:
// loading, the numbers beside their targets, an error and its end.
func TestPanel(t *testing.T) {
	t.Parallel()
	dir, site := nextjs(t), t.TempDir()
	inDirectory(t, dir, "node_modules/.bin/tsc", "--noEmit")
	inDirectory(t, dir, "node_modules/.bin/vite", "build", "test", "--outDir", site, "--emptyOutDir", "--logLevel", "error")
	front := httptest.NewServer(http.FileServer(http.Dir(site)))
	t.Cleanup(front.Close)
	s := shown(t, e2etest.Spec{Config: "objectives: {interval: 1s}\n", Env: []string{"CORS_ORIGINS=" + front.URL}})
	walk(t, s, "panel", "PANEL="+front.URL+"/?base="+url.QueryEscape(s.URL("")))
}
