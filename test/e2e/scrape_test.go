package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// TestNegotiation asks the two scrapable documents with the Accept headers of
// browsers, tools and scrapers.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	const (
		asJSON = "application/json"
		text   = "text/plain"
		open   = "application/openmetrics-text"
		proto  = "application/vnd.google.protobuf"
	)
	for _, c := range []struct{ accept, want string }{
		{"", asJSON},
		{"*/*", asJSON},
		{"application/json", asJSON},
		{"application/json, text/plain, */*", asJSON}, // axios
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", asJSON},
		{"text/plain;version=0.0.4", text},
		{"application/openmetrics-text;version=1.0.0", open},
		// Prometheus 2.42 and 3.
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", open},
		{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", proto},
	} {
		for _, path := range []string{"/monitoring/metrics", "/monitoring/stats/summary"} {
			header := http.Header{}
			if c.accept != "" {
				header.Set("Accept", c.accept)
			}
			a := s.Do(http.MethodGet, path, header, nil)
			if got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); a.Status != http.StatusOK || got != c.want {
				t.Errorf("GET %s with Accept %q: %d %q, want %q", path, c.accept, a.Status, got, c.want)
			}
			if !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Accept") {
				t.Errorf("GET %s: an answer that depends on Accept does not say Vary: Accept", path)
			}
		}
	}
	if a := s.Get("/metrics"); a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), text) {
		t.Errorf("GET /metrics: %d %s", a.Status, a.Header.Get("Content-Type"))
	}
}

// TestPrometheus lets a real Prometheus scrape the guide's two scrapable paths
// and /metrics, and asks it for what the JSON documents say.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 20)
	wantTotals(t, s, "", ledger.Totals())
	m := s.Metrics("")
	prometheus := startPrometheus(t, s.Addr, "/monitoring/metrics", "/monitoring/stats/summary", "/metrics")

	for _, job := range []string{"/monitoring/metrics", "/metrics"} {
		for query, want := range map[string]float64{
			"treq_chat_duration_seconds_count":         float64(m.Chat.TotalRequests),
			"treq_retrieval_duration_seconds_count":    float64(m.RAG.TotalSearches),
			"treq_chat_tokens_total":                   float64(m.Chat.LLMTokensUsed),
			"treq_chat_llm_calls_total":                float64(m.Chat.LLMCalls),
			"treq_llm_tokens_total":                    float64(m.LLM.TotalTokens),
			"gen_ai_client_operation_duration_seconds": 0, // no such series: a histogram has no bare name
		} {
			prometheus.want(fmt.Sprintf("sum(%s{job=%q}) or vector(0)", query, job), want)
		}
		average := func(name string) string {
			return fmt.Sprintf("sum(%s_sum{job=%q}) / sum(%s_count{job=%q})", name, job, name, job)
		}
		prometheus.want("1000 * "+average("treq_chat_duration_seconds"), m.Chat.AvgResponseTimeMS)
		prometheus.want("1000 * "+average("treq_retrieval_duration_seconds"), m.RAG.AvgSearchTimeMS)
	}
	var summary e2etest.Summary
	s.JSON("/monitoring/stats/summary", &summary)
	prometheus.want(`sum(treq_summary_total_requests)`, float64(summary.TotalRequests))
	prometheus.want(`sum(treq_summary_llm_total_tokens)`, float64(summary.LLMTotalTokens))
	prometheus.want(`sum({__name__=~"treq_summary_success_rate.*"})`, summary.SuccessRatePercent)
	prometheus.want(`count({job="/monitoring/stats/summary", __name__!~"treq_summary_.*|up|scrape_.*"}) or vector(0)`, 0)

	// Counters do not step back over a crash: Prometheus sees no reset.
	s.Crash()
	wantTotals(t, s, "", ledger.Totals())
	prometheus.want(`sum(resets(treq_chat_tokens_total{job="/metrics"}[5m]))`, 0)
}

// TestPromtool lets Prometheus's own linter read the exposition.
func TestPromtool(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 2)
	wantTotals(t, s, "", ledger.Totals())
	promtool, err := e2etest.Program("promtool")
	if err != nil {
		t.Fatal(err)
	}
	exposition := s.Do(http.MethodGet, "/metrics", http.Header{"Accept": {"text/plain;version=0.0.4"}}, nil)
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(exposition.Body)
	out, err := check.CombinedOutput()
	if exit := (&exec.ExitError{}); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		// The names are those of the semantic conventions.
		if !strings.HasPrefix(line, "process_thread_count ") {
			t.Errorf("promtool: %s", line)
		}
	}
}

// prometheus is a running Prometheus server.
type prometheus struct {
	t    *testing.T
	addr string
}

func startPrometheus(t *testing.T, target string, paths ...string) *prometheus {
	t.Helper()
	return startPrometheusWith(t, target, "", paths...)
}

// startPrometheusWith adds lines to the configuration.
func startPrometheusWith(t *testing.T, target, lines string, paths ...string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	var config strings.Builder
	config.WriteString("global:\n  scrape_interval: 500ms\n  scrape_timeout: 400ms\n" + lines + "scrape_configs:\n")
	for _, path := range paths {
		fmt.Fprintf(&config, "  - job_name: %s\n    metrics_path: %s\n    static_configs:\n      - targets: [%q]\n", path, path, target)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, err := e2etest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	var log tailBuffer
	program, err := e2etest.Program("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"),
		"--web.listen-address="+addr, "--log.level=warn", "--web.enable-remote-write-receiver")
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
			t.Logf("prometheus logged:\n%s", log)
		}
	})
	p := &prometheus{t: t, addr: addr}
	p.want("count(up == 1)", float64(len(paths)))
	return p
}

// want waits until an instant query gives one sample with the value.
func (p *prometheus) want(query string, value float64) {
	p.t.Helper()
	e2etest.Eventually(p.t, settled, func() error {
		got, err := p.query(query)
		if err != nil {
			return err
		}
		// Sums of floating-point numbers differ in the last digits from rounded ones.
		if d := got - value; d > 0.005 || d < -0.005 {
			return fmt.Errorf("%s = %v, the JSON says %v", query, got, value)
		}
		return nil
	})
}

func (p *prometheus) query(query string) (float64, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	a, err := e2etest.Do(ctx, http.MethodGet, "http://"+p.addr+"/api/v1/query?query="+url.QueryEscape(query), nil, nil)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		return 0, fmt.Errorf("%w in %s", err, a.Body)
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%s: %d series: %s", query, len(answer.Data.Result), a.Body)
	}
	return strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
}
