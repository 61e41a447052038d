package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// walk runs one of dashboard/walks.mjs in Chromium against a service. Screenshots go
// to TREQ_E2E_SCREENSHOTS, or nowhere that stays.
func walk(t *testing.T, s *e2etest.Server, name string, env ...string) {
	t.Helper()
	chromium, err := e2etest.Program("chromium")
	for _, other := range []string{"chromium-browser", "google-chrome"} {
		if err != nil {
			chromium, err = e2etest.Program(other)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	out := os.Getenv("TREQ_E2E_SCREENSHOTS")
	if out == "" {
		out = t.TempDir()
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "node", "dashboard/main.mjs", name, s.URL(""), out)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "CHROMIUM=" + chromium}
	cmd.Env = append(cmd.Env, env...)
	var told, faults strings.Builder
	cmd.Stdout, cmd.Stderr = &told, &faults
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, faults.String())
	}
	if told.Len() > 0 {
		t.Logf("%s: %s", name, told.String())
	}
}

// shown starts a service that saw the demo.
func shown(t *testing.T, spec e2etest.Spec) *e2etest.Server {
	t.Helper()
	spec.Config = quick + "history: {step: 1s}\n" + spec.Config
	s := e2etest.Start(t, spec)
	fill(t, s, "30")
	return s
}

// fill sends chats of the demo.
func fill(t *testing.T, s *e2etest.Server, chats string, args ...string) {
	t.Helper()
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.CommandContext(t.Context(), binary, append([]string{"demo", "--endpoint", s.URL(""), "--rate", "20", "--chats", chats}, args...)...)
	if out, err := demo.CombinedOutput(); err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
}

// TestDashboard walks through the dashboard of a service that saw the demo.
func TestDashboard(t *testing.T) {
	t.Parallel()
	s := shown(t, e2etest.Spec{})
	for _, name := range []string{"every", "switches", "live", "links", "keyboard", "widths", "docs", "paint", "shell"} {
		t.Run(name, func(t *testing.T) { walk(t, s, name) })
	}
}

// TestDashboardFirstSteps opens the dashboard of a service that saw nothing.
func TestDashboardFirstSteps(t *testing.T) {
	t.Parallel()
	walk(t, e2etest.Start(t, e2etest.Spec{Config: quick}), "firstSteps")
}

// TestFirstStepsSnippets takes each snippet off the page of a service that saw nothing,
// runs it as a reader would, and wants it to turn green.
func TestFirstStepsSnippets(t *testing.T) {
	t.Parallel()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"VENVS=" + filepath.Join(root, ".cache")}
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS").Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		env = append(env, []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS"}[i]+"="+value)
	}
	for _, title := range []string{"Python: FastAPI + OpenTelemetry", "LangChain, LangGraph", "LangSmith SDK", "JavaScript: OpenTelemetry", "Go: OpenTelemetry", "curl"} {
		t.Run(title, func(t *testing.T) {
			_, port, err := net.SplitHostPort(freePort(t))
			if err != nil {
				t.Fatal(err)
			}
			walk(t, e2etest.Start(t, e2etest.Spec{Config: quick}), "snippet", append(env, "SNIPPET="+title, "PORT="+port)...)
		})
	}
}

// TestDashboardHidesContent opens the dashboard without and with the token that
// content needs.
func TestDashboardHidesContent(t *testing.T) {
	t.Parallel()
	walk(t, shown(t, e2etest.Spec{Env: []string{"TREQ_API_TOKEN=reader-token"}}), "hidden")
}

// TestDashboardHostile sends hostile values in every field and looks at all of them.
func TestDashboardHostile(t *testing.T) {
	t.Parallel()
	file := writeObjectives(t, `
alerts:
  llm_latency: {window: 5m, min_samples: 1, for: 1s, keep_firing_for: 5m, group_by: [model]}
`)
	s := e2etest.Start(t, e2etest.Spec{Config: quick + "history: {step: 1s}\nobjectives: {interval: 1s, file: " + file + "}\n"})
	walk(t, s, "hostile")
}

// TestDashboardHosts asks for the page under names that are not this machine's, as a
// page does whose name was made to point here.
func TestDashboardHosts(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	for host, want := range map[string]int{
		"localhost:8002": http.StatusOK, "treq.localhost": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:8002": http.StatusOK,
		"evil.example": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/assets/icon.svg", "/monitoring/runs"} {
			a := s.Do(http.MethodGet, path, http.Header{"Host": {host}, "Accept": {"text/html"}}, nil)
			if a.Status != want {
				t.Errorf("%s at %s: %d, want %d", path, host, a.Status, want)
			}
		}
	}
	for _, origin := range []string{"https://evil.example", "null"} {
		a := s.Do(http.MethodPost, "/monitoring/chat/metrics?success=true&response_time_ms=1", http.Header{"Origin": {origin}}, nil)
		if a.Status != http.StatusForbidden {
			t.Errorf("a post of a page of %s: %d %s", origin, a.Status, a.Body)
		}
	}
}

// TestDashboardIsBuilt builds the page again and wants what is committed, checked
// types, and the page's own tests.
func TestDashboardIsBuilt(t *testing.T) {
	t.Parallel()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	web := filepath.Join(root, "server", "dashboard", "web")
	out := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = web
		if told, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s %v: %v\n%s", name, args, err, told)
		}
	}
	run("node", "build.mjs", out)
	if err := same(filepath.Join(root, "server", "dashboard", "dist"), out); err != nil {
		t.Errorf("server/dashboard/dist is not what its sources make (make dashboard): %v", err)
	}
	run("node", "unpack.mjs", filepath.Join(root, "server", "dashboard", "dist"))
	run("node_modules/.bin/tsc", "--noEmit")
	run("node", "test.mjs")
}

// same is nil where two directories hold the same files.
func same(want, got string) error {
	for _, pair := range [][2]string{{want, got}, {got, want}} {
		entries, err := os.ReadDir(pair[0])
		if err != nil {
			return err
		}
		for _, e := range entries {
			a, err := os.ReadFile(filepath.Join(pair[0], e.Name()))
			if err != nil {
				return err
			}
			b, err := os.ReadFile(filepath.Join(pair[1], e.Name()))
			if err != nil {
				return err
			}
			// Every generation of Node packs in its own way; unpack.mjs looks at what is packed.
			if string(a) != string(b) && filepath.Ext(e.Name()) != ".br" {
				return fmt.Errorf("%s differs", e.Name())
			}
		}
	}
	return nil
}

// TestChartsShowTheDemo asks for every quantity that has a name, of a service that saw
// all kinds of traffic: a name of a metric that does not exist would draw nothing.
func TestChartsShowTheDemo(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	s := shown(t, e2etest.Spec{Config: "sinks:\n  - {name: other, profile: otlp, endpoint: " + sink.URL() + "/v1/traces}\n"})
	var list struct {
		Metrics []struct{ Metric string } `json:"metrics"`
	}
	s.JSON("/monitoring/history", &list)
	if len(list.Metrics) < 29 {
		t.Errorf("%d charts", len(list.Metrics))
	}
	var runs struct {
		Runs []struct {
			ID string `json:"run_id"`
		}
	}
	e2etest.Eventually(t, settled, func() error {
		if s.JSON("/monitoring/runs?limit=1", &runs); len(runs.Runs) == 0 {
			return errors.New("no run is listed")
		}
		return nil
	})
	e2etest.Eventually(t, settled, func() error {
		fill(t, s, "5")
		// A judgement that is another each time.
		body := fmt.Sprintf(`{"run_id":%q,"score":%v}`, runs.Runs[0].ID, float64(time.Now().UnixMicro()%1000)/1000)
		if a := s.Do(http.MethodPost, "/monitoring/feedback", http.Header{"Content-Type": {"application/json"}}, strings.NewReader(body)); a.Status != http.StatusOK {
			t.Fatalf("feedback: %d %s", a.Status, a.Body)
		}
		var empty []string
		for _, m := range list.Metrics {
			var chart struct{ Series []struct{ Values []*float64 } }
			s.JSON("/monitoring/history?range=2m&metric="+m.Metric, &chart)
			some := false
			for _, line := range chart.Series {
				for _, v := range line.Values {
					some = some || v != nil
				}
			}
			if !some {
				empty = append(empty, m.Metric)
			}
		}
		if len(empty) > 0 {
			return fmt.Errorf("nothing is drawn for %v", empty)
		}
		return nil
	})
}
