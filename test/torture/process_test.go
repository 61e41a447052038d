package torture

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// memory reads a figure of /proc/PID/status in bytes: VmRSS, or VmHWM for the peak.
func memory(t *testing.T, s *e2etest.Server, key string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		t.Fatalf("the product is gone: %v\n%s", err, s.Log())
	}
	for line := range strings.Lines(string(text)) {
		if name, rest, _ := strings.Cut(line, ":"); name == key {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no %s", key)
	return 0
}

// forgetPeak makes VmHWM start anew.
func forgetPeak(t *testing.T, s *e2etest.Server) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.PID()), []byte("5"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cpu gives the CPU time a process has used.
func cpu(t *testing.T, s *e2etest.Server) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
	if err != nil {
		t.Fatalf("the product is gone: %v\n%s", err, s.Log())
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// files counts the open files of a process.
func files(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// mb is a size in whole mebibytes, for a figure.
func mb(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// ms is a time for a figure.
func ms(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// age is how many seconds a sink is behind.
func age(t *testing.T, s *e2etest.Server, name string) float64 {
	t.Helper()
	var document struct {
		Sinks []struct {
			Name string  `json:"name"`
			Age  float64 `json:"oldest_age_seconds"`
		} `json:"sinks"`
	}
	s.JSON("/monitoring/sinks", &document)
	for _, sink := range document.Sinks {
		if sink.Name == name {
			return sink.Age
		}
	}
	t.Fatalf("no sink %q", name)
	return 0
}

// output runs a command of the product that ends by itself, and gives all it wrote.
func output(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	// Its exit code is not what is asked for.
	text, _ := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Errorf("%s %v does not end", name, args)
	}
	return string(text)
}
