package check

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mostExposed is what systemd-analyze may find at most, of 10 (8 and more is UNSAFE,
// below 2 is OK at the least).
const mostExposed = 1.6

// installed copies the unit to where its program is the one just built.
func installed(t *testing.T) string {
	t.Helper()
	text := string(read(t, "deploy", "systemd", "treq-telemetry.service"))
	if !strings.Contains(text, "ExecStart=/usr/bin/treq-telemetry ") {
		t.Fatal("the unit does not start what packages install")
	}
	path := filepath.Join(t.TempDir(), "treq-telemetry.service")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "/usr/bin/treq-telemetry", program)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnit(t *testing.T) {
	out, err := run(tool(t, "systemd-analyze"), "verify", "--man=no", installed(t))
	if err != nil || strings.Contains(out, "treq-telemetry.service") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := accepts(read(t, "deploy", "systemd", "treq.yaml"), "TREQ_DATA_DIR=/var/lib/treq-telemetry"); err != nil {
		t.Error(err)
	}
}

func TestUnitIsHardened(t *testing.T) {
	out, err := run(tool(t, "systemd-analyze"), "security", "--offline=true", "--no-pager", installed(t))
	found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > mostExposed {
		t.Errorf("exposure %s, above %v (%v)\n%s", found[1], mostExposed, err, out)
	}
	t.Logf("exposure %s of 10", found[1])
}
