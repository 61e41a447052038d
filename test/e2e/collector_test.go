package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// collectorConfig is a Collector that counts as quick does and redacts before it counts.
const collectorConfig = `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "${env:GRPC}"}
      http: {endpoint: "${env:HTTP}"}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 512}
  treq_redact: {preset: br, content: none, key: "${env:REDACT_KEY}"}
  treq_enrich: {backend: langfuse}
connectors:
  treq:
    metrics_flush_interval: 200ms
    chats: {close: {root: 300ms}}
exporters:
  prometheus: {endpoint: "${env:METRICS}"}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, treq_redact, treq_enrich], exporters: [treq]}
    metrics: {receivers: [treq], exporters: [prometheus]}
`

// gatherer is a running Collector with our meaning inside.
type gatherer struct{ http, grpc, metrics string }

// startCollector runs the Collector that make collector builds, after it found its
// configuration good, and ends it as a platform does.
func startCollector(t *testing.T) *gatherer {
	t.Helper()
	binary := distribution(t)
	c := &gatherer{}
	for _, address := range []*string{&c.http, &c.grpc, &c.metrics} {
		*address = freePort(t)
	}
	path := filepath.Join(t.TempDir(), "collector.yaml")
	if err := os.WriteFile(path, []byte(collectorConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"HTTP=" + c.http, "GRPC=" + c.grpc, "METRICS=" + c.metrics, "REDACT_KEY=a key of this test alone"}
	validate := exec.CommandContext(t.Context(), binary, "validate", "--config", path)
	validate.Env = env
	if out, err := validate.CombinedOutput(); err != nil {
		t.Fatalf("validate: %v\n%s", err, out)
	}
	var log strings.Builder
	run := exec.Command(binary, "--config", path)
	run.Env, run.Stdout, run.Stderr = env, &log, &log
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := run.Wait(); err != nil {
			t.Errorf("the Collector's end: %v", err)
		}
		if t.Failed() {
			t.Logf("the Collector logged:\n%s", log.String())
		}
	})
	e2etest.Eventually(t, time.Minute, func() error {
		_, err := c.samples()
		return err
	})
	return c
}

// samples gives what its Prometheus exporter shows.
func (c *gatherer) samples() (map[string]string, error) {
	return samples("http://" + c.metrics + "/metrics")
}

var (
	label = regexp.MustCompile(`[a-zA-Z_]+="(?:[^"\\]|\\.)*"`)
	// surroundings are labels that tell where a series comes from, and not what it counts.
	surroundings = regexp.MustCompile(`^(job|instance|otel_scope_[a-z_]+)=`)
)

// samples scrapes an address: the value of every series.
func samples(url string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := e2etest.Do(ctx, "GET", url, nil, nil)
	if err != nil || answer.Status != 200 {
		return nil, fmt.Errorf("%s: %d %v", url, answer.Status, err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(answer.Body)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		name, _, _ := strings.Cut(line[:at], "{")
		labels := slices.DeleteFunc(label.FindAllString(line[len(name):at], -1), surroundings.MatchString)
		slices.Sort(labels)
		series := name
		if len(labels) > 0 {
			series += "{" + strings.Join(labels, ",") + "}"
		}
		found[series] = line[at+1:]
	}
	return found, nil
}

// TestCollectorShowsWhatTheProductShows sends the same traffic to the product and to
// a Collector with the connector, and wants every series that the Collector exposes
// to be the product's, with the same value.
func TestCollectorShowsWhatTheProductShows(t *testing.T) {
	t.Parallel()
	tool, err := e2etest.Tool("github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen", "v0.161.0")
	if err != nil {
		t.Fatal(err)
	}
	c, s := startCollector(t), e2etest.Start(t, e2etest.Spec{Config: quick})
	generator := e2etest.NewGenerator(41)
	for i := range 60 {
		question := e2etest.Question{Input: int64(100 + i), Output: int64(i), Content: "my CPF is 529.982.247-25"}
		if i%3 > 0 {
			question.Scores = []float64{0.9, 0.25 + float64(i)/200}
		}
		question.Failed = i%10 == 9
		spans := generator.Trace(question, time.Now()).Spans
		for _, url := range []string{"http://" + c.http + "/v1/traces", s.URL("/v1/traces")} {
			if err := e2etest.Send(t.Context(), url, e2etest.Encoding{}, e2etest.Request("shop", spans...)); err != nil {
				t.Fatal(err)
			}
			// Again, but in another request: one that comes again as the same bytes the
			// product knows before it looks at spans.
			if err := e2etest.Send(t.Context(), url, e2etest.Encoding{}, e2etest.Request("shop", spans[:1+i%3]...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), tool, "traces", "--otlp-insecure", "--traces", "50", "--rate", "0", "--workers", "1",
		"--service", "generated", "--otlp-endpoint", c.grpc, "--telemetry-attributes", `gen_ai.operation.name="chat"`).CombinedOutput()
	if err != nil {
		t.Fatalf("telemetrygen: %v\n%s", err, out)
	}
	e2etest.Eventually(t, settled, func() error {
		counted, err := c.samples()
		if err != nil {
			return err
		}
		shown, err := samples(s.URL("/metrics"))
		if err != nil {
			return err
		}
		if got := counted[`gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",service_name="generated"}`]; got != "50" {
			return fmt.Errorf("%q of telemetrygen's 50 calls are counted among %q", got, slices.Sorted(maps.Keys(counted)))
		}
		same, others := map[string]string{}, map[string]string{}
		for series, value := range counted {
			if timing.MatchString(series) || strings.Contains(series, `service_name="generated"`) || strings.HasPrefix(series, "treq_pipeline_admitted") || strings.HasPrefix(series, "target_info") {
				continue
			}
			same[series], others[series] = value, shown[series]
		}
		if len(same) < 50 {
			return fmt.Errorf("the Collector shows only %d series: %v", len(same), slices.Sorted(maps.Keys(counted)))
		}
		if diff := cmp.Diff(others, same); diff != "" {
			return fmt.Errorf("(-product +collector):\n%s", diff)
		}
		return nil
	})
}

// timing are series that say when something was counted.
var timing = regexp.MustCompile(`_created(\{|$)`)
