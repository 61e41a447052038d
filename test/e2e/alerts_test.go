package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// hasty are objectives that decide within seconds.
const hasty = `
alerts:
  error_rate: {window: 10s, min_samples: 2, for: 1s, keep_firing_for: 2s}
  low_similarity: {window: 10s, min_samples: 2, for: 1s, keep_firing_for: 2s}
  llm_latency: {window: 10s, min_samples: 2, for: 1s, keep_firing_for: 2s, group_by: [model]}
  high_memory: {threshold: 1, recovery: 0.5, for: 1s}
  slo_burn_fast: {enabled: false}
  slo_burn_slow: {enabled: false}
`

func writeObjectives(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "objectives.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// treq runs a command of the product and gives what it prints.
func treq(t *testing.T, args ...string) string {
	t.Helper()
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("treq-telemetry %v: %v\n%s", args, err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// firing gives the names and labels of the alerts that fire, as Prometheus's query
// API at an address tells them.
func firing(ctx context.Context, base string) ([]string, error) {
	a, err := e2etest.Do(ctx, http.MethodGet, base+"/api/v1/alerts", nil, nil)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Alerts []struct {
				State  string            `json:"state"`
				Labels map[string]string `json:"labels"`
			} `json:"alerts"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		return nil, fmt.Errorf("%w in %s", err, a.Body)
	}
	list := []string{}
	for _, alert := range answer.Data.Alerts {
		if alert.State == "firing" {
			list = append(list, fmt.Sprint(alert.Labels))
		}
	}
	slices.Sort(list)
	return list, nil
}

// TestAlertsAsPrometheus lets a real Prometheus scrape the guide's two addresses and
// evaluate the rules that the product prints, while the product evaluates its own.
// Both must come to the same, when things go wrong and when they are mended.
func TestAlertsAsPrometheus(t *testing.T) {
	t.Parallel()
	file := writeObjectives(t, hasty)
	data := e2etest.DataDir(t)
	s := e2etest.Start(t, e2etest.Spec{
		DataDir: data,
		Config:  quick + "history: {step: 1s}\nobjectives: {interval: 1s, file: " + file + "}\n",
	})
	rules := filepath.Join(t.TempDir(), "treq.rules.yml")
	if err := os.WriteFile(rules, []byte(treq(t, "objectives", "rules", file, "--objectives-interval", "1s")), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startPrometheusWith(t, s.Addr, "rule_files: ["+rules+"]\n", "/monitoring/metrics", "/monitoring/stats/summary")

	ours, theirs := "http://"+s.Addr+"/prometheus", "http://"+p.addr
	until := func(what string, post func(), want ...string) {
		t.Helper()
		e2etest.Eventually(t, time.Minute, func() error {
			post()
			for _, base := range []string{ours, theirs} {
				got, err := firing(t.Context(), base)
				if err != nil {
					return err
				}
				if diff := cmp.Diff(want, got); diff != "" {
					return fmt.Errorf("%s, at %s (-want +got):\n%s", what, base, diff)
				}
			}
			return nil
		})
	}
	chats := func(parameters string) func() {
		return func() {
			for range 3 {
				path := "/monitoring/chat/metrics?response_time_ms=500&rag_used=true&rag_found=true&search_time_ms=10&model=llama-3.1-8b-instant&llm_tokens=10&" + parameters
				if a := s.Do(http.MethodPost, path, nil, nil); a.Status != http.StatusOK {
					t.Fatalf("%s: %d %s", path, a.Status, a.Body)
				}
			}
		}
	}
	const (
		memory     = "map[alertname:high_memory service_name:treq-telemetry severity:warning]"
		errorRate  = "map[alertname:error_rate severity:critical]"
		similarity = "map[alertname:low_similarity severity:warning]"
		latency    = "map[alertname:llm_latency gen_ai_response_model:llama-3.1-8b-instant severity:warning]"
	)
	good, bad := chats("success=true&similarity_score=0.7&llm_latency_ms=400"), chats("success=false&similarity_score=0.3&llm_latency_ms=4000")
	until("all is well but the memory", good, memory)
	until("all is bad", bad, errorRate, memory, latency, similarity)

	var health struct{ Status string }
	s.JSON("/monitoring/health", &health)
	if health.Status != "degraded" || s.Metrics("").System.Status != "degraded" {
		t.Errorf("while a critical alert fires the health is %q and the system %q", health.Status, s.Metrics("").System.Status)
	}
	var verbose struct {
		Reasons   []string
		Telemetry struct {
			Services []struct {
				Service    string
				LastSeen   *float64 `json:"last_seen_seconds"`
				NoScores   *float64 `json:"searches_without_scores_ratio"`
				NoPrice    *float64 `json:"unpriced_tokens_ratio"`
				NoUsageYet *float64 `json:"streams_without_usage_ratio"`
			}
		}
	}
	s.JSON("/monitoring/health?verbose=1", &verbose)
	if len(verbose.Reasons) != 1 || !strings.HasPrefix(verbose.Reasons[0], "error_rate: ") || len(verbose.Telemetry.Services) != 1 {
		t.Errorf("the reasons are %+v", verbose)
	} else if q := verbose.Telemetry.Services[0]; q.Service != "default" || q.LastSeen == nil || *q.LastSeen > 60 ||
		q.NoScores == nil || *q.NoScores != 0 || q.NoPrice == nil || q.NoUsageYet != nil {
		t.Errorf("of the service it is told %+v", q)
	}
	type listed struct {
		Name, State string
		Instances   []struct {
			Texts map[string]struct{ Summary string }
		}
	}
	var alerts struct{ Alerts []listed }
	s.JSON("/monitoring/alerts", &alerts)
	i := slices.IndexFunc(alerts.Alerts, func(a listed) bool { return a.Name == "error_rate" })
	if i < 0 || alerts.Alerts[i].State != "firing" || len(alerts.Alerts[i].Instances) != 1 ||
		alerts.Alerts[i].Instances[0].Texts["pt-BR"].Summary != "Taxa de erro acima de 10%" {
		t.Errorf("the list of alerts says %+v", alerts)
	}

	until("all is well again", good, memory)
	s.JSON("/monitoring/health", &health)
	if health.Status != "ok" {
		t.Errorf("when all is well again the health is %q", health.Status)
	}

	// Failures that come at once, in a series that was not there before: the first
	// scrape that shows it shows all of them.
	// Each lets the alert fire for some seconds; where nobody looked meanwhile, the next does.
	services, last := 0, time.Time{}
	once := func() {
		if time.Since(last) < 20*time.Second {
			return
		}
		services, last = services+1, time.Now()
		for range 100 {
			s.Do(http.MethodPost, fmt.Sprintf("/monitoring/chat/metrics?success=false&response_time_ms=500&service=new-%d", services), nil, nil)
		}
	}
	until("a new service fails at once", once, errorRate, memory)
	until("all is well after that", good, memory)

	// What fired can be told again from what is stored, beside the running service.
	for _, where := range [][]string{{"--data-dir", data}, {"--url", ours}} {
		out := treq(t, append([]string{"objectives", "test", file, "--since", "10m", "--objectives-interval", "1s"}, where...)...)
		for _, want := range []string{"error_rate", "low_similarity", "llm_latency"} {
			if strings.Count(out, want) < 2 { // the firing, and the count
				t.Errorf("the rehearsal with %s does not say that %s fired:\n%s", where[0], want, out)
			}
		}
	}
}

// TestRulesUnderPromtool lets Prometheus's own tool read what ships for a server,
// run the unit tests of its alerts, and read what the product prints.
func TestRulesUnderPromtool(t *testing.T) {
	t.Parallel()
	promtool, err := e2etest.Program("promtool")
	if err != nil {
		t.Fatal(err)
	}
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	printed := filepath.Join(t.TempDir(), "printed.yml")
	if err := os.WriteFile(printed, []byte(treq(t, "objectives", "rules", writeObjectives(t, hasty))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"},
		{"test", "rules", "treq.rules.test.yml"},
		{"check", "rules", printed},
	} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = filepath.Join(root, "deploy", "prometheus")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	shipped, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus", "treq.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(shipped), treq(t, "objectives", "rules")); diff != "" {
		t.Errorf("what ships is not what is printed (-shipped +printed):\n%s", diff)
	}
	// Each alert that ships has a test.
	tests, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus", "treq.rules.test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(shipped)) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "- alert: "); ok && !strings.Contains(string(tests), `alertname="`+name+`"`) {
			t.Errorf("%s has no unit test", name)
		}
	}
}

// TestObjectivesReload changes the file of objectives under a running service, and
// restarts it while an alert fires.
func TestObjectivesReload(t *testing.T) {
	t.Parallel()
	file := writeObjectives(t, "alerts: {high_memory: {threshold: 1, for: 0s}}")
	s := e2etest.Start(t, e2etest.Spec{Config: "history: {step: 1s}\nobjectives: {interval: 1s, file: " + file + "}\n"})
	type instance struct {
		State, Since string
	}
	state := func() (list []instance) {
		var doc struct {
			Alerts []struct {
				Name      string
				Instances []instance
			}
			Resolved []instance
		}
		s.JSON("/monitoring/alerts", &doc)
		for _, a := range doc.Alerts {
			if a.Name == "high_memory" {
				list = append(list, a.Instances...)
			}
		}
		return append(list, doc.Resolved...)
	}
	await := func(what, want string) {
		t.Helper()
		e2etest.Eventually(t, settled, func() error {
			if got := state(); len(got) != 1 || got[0].State != want {
				return fmt.Errorf("%s: %+v, want one that is %s", what, got, want)
			}
			return nil
		})
	}
	await("at the start", "firing")
	before := state()
	s.Crash()
	await("after a crash", "firing")
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("the firing is another after a crash (-before +after):\n%s", diff)
	}
	reload := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	reload("alerts: {high_memory: {threshold: lots}}")
	e2etest.Eventually(t, settled, func() error {
		if !strings.Contains(s.Log(), "alerts.high_memory.threshold") {
			return errors.New("a bad file is not refused with its key")
		}
		return nil
	})
	await("after a bad file", "firing")
	reload("alerts: {high_memory: {enabled: false}}")
	await("after it was switched off", "resolved")
}
