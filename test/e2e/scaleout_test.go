package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"treq/test/e2e/e2etest"
)

// TestScaleOut lets the programs that read the generated files check them.
func TestScaleOut(t *testing.T) {
	t.Parallel()
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	promtool, err := e2etest.Program("promtool")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "fleet")
	run := func(program string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(os.Environ(), "TREQ_INGEST_TOKEN=secret", "TREQ_TOKENS_INGEST_0_SECRET=filled")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s %v: %v\n%s", filepath.Base(program), args, err, out)
		}
	}
	run(binary, "scale-out", "--replicas", "3", "--out", dir)
	run(promtool, "check", "config", filepath.Join(dir, "prometheus.yml"))
	run(binary, "config", "check", filepath.Join(dir, "treq.yaml"))
}
