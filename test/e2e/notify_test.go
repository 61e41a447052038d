package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// fires makes two alerts of one severity fire within seconds after chats fail and
// searches find little, and end soon after that is over.
const fires = `
alerts:
  error_rate: {window: 10s, min_samples: 1, for: 0s, keep_firing_for: 5s, severity: warning}
  low_similarity: {window: 10s, min_samples: 1, for: 0s, keep_firing_for: 5s, severity: warning}
  slo_burn_fast: {enabled: false}
  slo_burn_slow: {enabled: false}
`

// hookAlert and hookMessage are Alertmanager's webhook form, as far as tests read it.
type hookAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

type hookMessage struct {
	Version     string            `json:"version"`
	Status      string            `json:"status"`
	Receiver    string            `json:"receiver"`
	GroupLabels map[string]string `json:"groupLabels"`
	Alerts      []hookAlert       `json:"alerts"`
	header      http.Header
	body        []byte
}

// hooks is a server that keeps what it is told, by path.
type hooks struct {
	*httptest.Server
	mu       sync.Mutex
	messages map[string][]hookMessage
}

func newHooks(t *testing.T) *hooks {
	h := &hooks{messages: map[string][]hookMessage{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		m := hookMessage{header: r.Header, body: body}
		if err == nil {
			_ = json.Unmarshal(body, &m)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.messages[r.URL.Path] = append(h.messages[r.URL.Path], m)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hooks) of(path string) []hookMessage {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.messages[path])
}

// told gives the states that a path was told of an alert, in order and without
// repetitions.
func (h *hooks) told(path, alert string) []string {
	var states []string
	for _, m := range h.of(path) {
		for _, a := range m.Alerts {
			if a.Labels["alertname"] == alert && (len(states) == 0 || states[len(states)-1] != a.Status) {
				states = append(states, a.Status)
			}
		}
	}
	return states
}

func startAlertmanager(t *testing.T, hook string) string {
	t.Helper()
	return startAlertmanagerWith(t, hook, "group_wait: 1s, group_interval: 1s")
}

// startAlertmanagerWith runs one that waits for so long before it tells.
func startAlertmanagerWith(t *testing.T, hook, waits string) string {
	t.Helper()
	program, err := e2etest.Program("prometheus-alertmanager")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `
route: {receiver: hook, group_by: [severity], %s, repeat_interval: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: %q, send_resolved: true}]
`, waits, hook), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, err := e2etest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	var log tailBuffer
	server := exec.Command(program, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--cluster.listen-address=", "--log.level=warn")
	server.Dir = filepath.Dir(program) // where scripts/install-prometheus put its template
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = server.Wait()
		if t.Failed() {
			t.Logf("alertmanager logged:\n%s", log)
		}
	})
	e2etest.Eventually(t, settled, func() error {
		a, err := e2etest.Do(t.Context(), http.MethodGet, "http://"+addr+"/-/ready", nil, nil)
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("alertmanager is not ready: %d", a.Status)
		}
		return err
	})
	return addr
}

// amAlerts lists the alerts that an Alertmanager holds, as "name state".
func amAlerts(t *testing.T, addr string) []string {
	t.Helper()
	a, err := e2etest.Do(t.Context(), http.MethodGet, "http://"+addr+"/api/v2/alerts", nil, nil)
	if err != nil {
		return nil
	}
	var alerts []struct {
		Labels map[string]string `json:"labels"`
		Status struct {
			State string `json:"state"`
		} `json:"status"`
	}
	if err := json.Unmarshal(a.Body, &alerts); err != nil {
		return nil
	}
	out := []string{}
	for _, x := range alerts {
		out = append(out, x.Labels["alertname"]+" "+x.Status.State)
	}
	slices.Sort(out)
	return out
}

// TestNotifications lets alerts fire, through a kill, and end, and looks at what a
// real Alertmanager made of it and at what a webhook of ours was told.
func TestNotifications(t *testing.T) {
	t.Parallel()
	hook := newHooks(t)
	am := startAlertmanager(t, hook.URL+"/am")
	objectives := filepath.Join(t.TempDir(), "objectives.yaml")
	if err := os.WriteFile(objectives, []byte(fires), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2etest.Start(t, e2etest.Spec{Config: fmt.Sprintf(`
history: {step: 1s}
objectives: {file: %q, interval: 1s}
notifications:
  language: en
  group_by: [severity]
  group_wait: 0s
  group_interval: 1s
  receivers:
    - {name: am, kind: alertmanager, url: "http://%s"}
    - {name: ours, kind: webhook, url: "%s/ours", secret: shared}
    - {name: down, kind: webhook, url: "http://127.0.0.1:1/"}
`, objectives, am, hook.URL)})

	// Trouble goes on until it is told to stop.
	trouble := func() {
		s.Do(http.MethodPost, "/monitoring/chat/metrics?success=false&response_time_ms=100", nil, nil)
		s.Do(http.MethodPost, "/monitoring/rag/metrics?num_results=2&search_time_ms=10&similarity_score=0.1", nil, nil)
	}
	await := func(what string, bad bool, check func() bool) {
		t.Helper()
		e2etest.Eventually(t, 90*time.Second, func() error {
			if bad {
				trouble()
			}
			if !check() {
				return fmt.Errorf("%s: the Alertmanager holds %v, its hook was told %v and %v, ours %v and %v", what, amAlerts(t, am),
					hook.told("/am", "error_rate"), hook.told("/am", "low_similarity"), hook.told("/ours", "error_rate"), hook.told("/ours", "low_similarity"))
			}
			return nil
		})
	}
	firing := []string{"firing"}
	await("firing", true, func() bool {
		return slices.Equal(amAlerts(t, am), []string{"error_rate active", "low_similarity active"}) &&
			slices.Equal(hook.told("/ours", "error_rate"), firing) && slices.Equal(hook.told("/ours", "low_similarity"), firing) &&
			slices.ContainsFunc(hook.of("/am"), func(m hookMessage) bool { return len(m.Alerts) == 2 && m.GroupLabels["severity"] == "warning" })
	})
	var document struct {
		Receivers []struct {
			Name    string `json:"name"`
			State   string `json:"state"`
			Waiting int    `json:"waiting"`
		} `json:"receivers"`
	}
	// A receiver knows before its answer has come back.
	e2etest.Eventually(t, settled, func() error {
		trouble()
		s.JSON("/monitoring/alerts", &document)
		if got := fmt.Sprint(document.Receivers); got != "[{am ok 0} {ours ok 0} {down retrying 2}]" {
			return fmt.Errorf("receivers = %s", got)
		}
		return nil
	})
	exposed := string(s.Get("/metrics").Body)
	for _, line := range []string{
		`treq_alert_notifications_total\{treq_outcome="success",treq_receiver="ours"\} [1-9]`,
		`treq_alert_notifications_total\{treq_outcome="failure",treq_receiver="ours"\} 0`,
		`treq_alert_notifications_total\{treq_outcome="success",treq_receiver="down"\} 0`,
		`treq_alert_notifications_total\{treq_outcome="failure",treq_receiver="down"\} [1-9]`,
		`treq_alert_waiting\{treq_receiver="down"\} 2`,
		`treq_alert_waiting_age_seconds\{treq_receiver="down"\} [0-9]`,
	} {
		if !regexp.MustCompile("(?m)^" + line).MatchString(exposed) {
			t.Errorf("/metrics has no line %s", line)
		}
	}

	before := len(hook.of("/ours"))
	s.Crash()
	heard := func() string {
		var b strings.Builder
		for _, m := range hook.of("/ours")[before:] {
			b.Write(m.body)
		}
		return b.String()
	}
	// Through the kill the alerts go on; nobody is told that they ended, or began anew.
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		trouble()
	}
	if got := heard(); got != "" {
		t.Errorf("after a kill ours was told %s", got)
	}

	await("over", false, func() bool {
		over := []string{"firing", "resolved"}
		return len(amAlerts(t, am)) == 0 &&
			slices.Equal(hook.told("/am", "error_rate"), over) && slices.Equal(hook.told("/am", "low_similarity"), over) &&
			slices.Equal(hook.told("/ours", "error_rate"), over) && slices.Equal(hook.told("/ours", "low_similarity"), over)
	})
	for _, m := range hook.of("/ours") {
		timestamp, _, _ := strings.Cut(strings.TrimPrefix(m.header.Get("Treq-Signature"), "t="), ",")
		sum := hmac.New(sha256.New, []byte("shared"))
		fmt.Fprintf(sum, "%s.%s", timestamp, m.body)
		if want := "t=" + timestamp + ",v1=" + hex.EncodeToString(sum.Sum(nil)); m.header.Get("Treq-Signature") != want {
			t.Errorf("Treq-Signature %q, want %q", m.header.Get("Treq-Signature"), want)
		}
		if m.Version != "4" || m.header.Get("Idempotency-Key") == "" || m.Alerts[0].Annotations["summary"] == "" {
			t.Errorf("message = %s", m.body)
		}
	}
}

// TestSendTest tries receivers out with the command.
func TestSendTest(t *testing.T) {
	t.Parallel()
	hook := newHooks(t)
	file := filepath.Join(t.TempDir(), "treq.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `
notifications:
  receivers:
    - {name: good, kind: webhook, url: "%s/good?token=canary"}
    - {name: chat, kind: slack, url: "%s/chat/canary"}
    - {name: gone, kind: discord, url: "http://127.0.0.1:1/canary"}
`, hook.URL, hook.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"alert", "send-test", "--config", file}, args...)...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	out, code := run()
	for _, want := range []string{"good      webhook  yes    200 OK", "chat      slack    yes    200 OK", "gone      discord  no     the connection was refused", "1 of 3 receivers"} {
		if !strings.Contains(out, want) {
			t.Errorf("send-test printed\n%s\nwithout %q", out, want)
		}
	}
	if code != 1 || strings.Contains(out, "canary") {
		t.Errorf("exit code %d, and printed\n%s", code, out)
	}
	if got := hook.of("/good"); len(got) != 1 || !strings.Contains(string(got[0].body), "treq_sample") {
		t.Errorf("the webhook was sent %v", got)
	}
	if out, code := run("--receiver", "good"); code != 0 || strings.Contains(out, "chat") {
		t.Errorf("exit code %d, and printed\n%s", code, out)
	}
	if out, code := run("--receiver", "nobody"); code != 2 || !strings.Contains(out, `no receiver "nobody"`) {
		t.Errorf("exit code %d, and printed\n%s", code, out)
	}
}
