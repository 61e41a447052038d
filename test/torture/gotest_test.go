package torture

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"treq/test/e2e/e2etest"
)

// ran is what go test said of some tests of the product.
type ran struct {
	passed, failed int // tests and subtests
	output         string
}

// goTest runs tests of a package.
func goTest(t *testing.T, f *figures, pkg, pattern string) ran {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"test", "-json", "-timeout", "20m", "-run", pattern}
	if size(false, true, true) {
		args = append(args, "-count=1")
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, pkg)...)
	cmd.Dir = root
	// Its exit code says less than the events do.
	out, err := cmd.Output()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	var r ran
	var text strings.Builder
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		var event struct{ Action, Test, Output string }
		if err := json.Unmarshal(scan.Bytes(), &event); err != nil {
			t.Fatalf("go test says %q: %v", scan.Bytes(), err)
		}
		switch {
		case event.Action == "output":
			text.WriteString(event.Output)
		case event.Action == "pass" && event.Test != "":
			r.passed++
		case event.Action == "fail":
			r.failed++
		}
	}
	r.output = text.String()
	if r.failed > 0 || r.passed == 0 {
		t.Logf("%s: %s", pkg, r.output[max(0, len(r.output)-8<<10):])
		f.want(false, "%d tests of %s failed, %d passed", r.failed, pkg, r.passed)
	}
	return r
}

// figure reads a number that a test logged: pattern has one group.
func (r ran) figure(t *testing.T, pattern string) int {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(r.output)
	if found == nil {
		t.Errorf("no test logged %q", pattern)
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Error(err)
	}
	return n
}

// powerCuts cuts the power in file system calls of the journal, and lets them fail.
func powerCuts(t *testing.T, f *figures) {
	r := goTest(t, f, "./telemetry/journal", "^(TestPowerCut|TestPowerCutUnderLoad|TestReadableIsDurable|TestFailingCalls|TestFailedFsyncEndsItsSegment|TestModel)$")
	points := r.figure(t, `(\d+) power cuts`)
	f.want(points >= 2000, "%d power cuts with 0, 30, 70 and 100 %% of unsynced data kept", points)
	f.want(r.failed == 0, "every acknowledged record there, every start succeeds")
	goTest(t, f, "./telemetry/meter", "^TestTotalsAreExactOverCrashes$")
}

// faultMatrix plays every answer of a sink by a clock of the test's.
func faultMatrix(t *testing.T, f *figures) {
	r := goTest(t, f, "./telemetry/export", "^(TestFaults|TestTooLargeIsSplit|TestRefusedSpanIsFoundAlone|TestAccountUnderAnyFaults|TestServerErrorOverOneSpan|TestRetryAfter)$")
	f.want(r.failed == 0 && r.passed >= 30, "%d answers and faults, each as the table says; the account closes", r.passed)
}
