package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"treq/test/e2e/e2etest"
)

// ingestToken and readToken are what the topology's .env is filled with.
const ingestToken, readToken = "token-of-senders", "token-of-readers"

// topology is what scale-out writes, running: replicas, the Prometheus that adds them
// up, the gateway before them, and with Kafka the reader behind it. Only addresses
// and directories differ from what was written.
type topology struct {
	t          *testing.T
	files      map[string]string
	replicas   []*e2etest.Server
	prometheus *prometheus
	gateway    *balancer
	reader     *balancer // nil without Kafka
}

// scaleOut runs the command with settings and gives its files by name.
func scaleOut(t *testing.T, settings string, args ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	from := filepath.Join(dir, "from.yaml")
	if err := os.WriteFile(from, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "fleet")
	treq(t, append([]string{"scale-out", "--config", from, "--out", out}, args...)...)
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// startTopology runs the files of n replicas that do what settings say. A broker that
// is not "" stands between the gateway and them.
func startTopology(t *testing.T, n int, broker, settings string) *topology {
	t.Helper()
	settings += fmt.Sprintf("history: {step: 1s}\ntokens: { ingest: [ %s ], api: [ %s ] }\n", ingestToken, readToken)
	args := []string{"--replicas", fmt.Sprint(n)}
	if broker != "" {
		args = append(args, "--kafka", "kafka:9092")
	}
	top := &topology{t: t, files: scaleOut(t, settings, args...)}
	var env []string
	for line := range strings.Lines(top.files[".env.example"]) {
		if key, _, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			value := readToken
			if strings.Contains(key, "INGEST") {
				value = ingestToken
			}
			env = append(env, key+"="+value)
		}
	}
	top.gateway = newBalancer(t, n, env)
	addresses := []string{"kafka:9092", broker}
	for i := range n {
		r := e2etest.Start(t, e2etest.Spec{Config: quick, Env: append([]string{fmt.Sprintf("TREQ_FLEET_DELIVER_ALERTS=%v", i == 0)}, env...)})
		top.replicas = append(top.replicas, r)
		addresses = append(addresses, fmt.Sprintf("treq-%d:4317", i), r.GRPC, fmt.Sprintf("treq-%d:8002", i), r.Addr)
	}
	top.prometheus = startPrometheusText(t, strings.NewReplacer("gateway:8888", top.gateway.metrics, "15s", "500ms").Replace(top.files["prometheus.yml"]))
	addresses = append(addresses, "prometheus:9090", top.prometheus.addr)
	for _, r := range top.replicas {
		r.Configure(strings.NewReplacer(addresses...).Replace(top.files["treq.yaml"]))
		r.Crash()
	}
	if broker != "" {
		top.reader = newBalancer(t, n, env)
		top.reader.configure(top.files["reader.yaml"], addresses)
		top.reader.start()
	}
	top.gateway.configure(top.files["gateway.yaml"], addresses)
	top.gateway.start()
	return top
}

// startPrometheusText runs a Prometheus with a configuration, as the topology's
// compose file does. That it takes a replica for gone after seconds is the test's.
func startPrometheusText(t *testing.T, text string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := freePort(t)
	program, err := e2etest.Program("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	var log tailBuffer
	server := exec.Command(program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+addr,
		"--log.level=warn", "--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=30d", "--query.lookback-delta=10s")
	server.Stdout, server.Stderr = &log, &log
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("prometheus logged:\n%s", log)
		}
	})
	p := &prometheus{t: t, addr: addr}
	e2etest.Eventually(t, settled, func() error {
		a, err := e2etest.Do(t.Context(), http.MethodGet, "http://"+addr+"/-/ready", nil, nil)
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("prometheus is not ready: %d", a.Status)
		}
		return err
	})
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	addr, err := e2etest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// balancer is our distribution of the Collector with a generated configuration.
type balancer struct {
	t                           *testing.T
	grpc, http, health, metrics string
	inner                       []string
	dir, file                   string
	env                         []string
	log                         strings.Builder
	cmd                         *exec.Cmd
	done                        chan error
}

func newBalancer(t *testing.T, replicas int, env []string) *balancer {
	t.Helper()
	b := &balancer{t: t, grpc: freePort(t), http: freePort(t), health: freePort(t), metrics: freePort(t), dir: e2etest.DataDir(t), env: env}
	for range replicas {
		b.inner = append(b.inner, freePort(t))
	}
	return b
}

// configure writes the generated file, with the addresses of this machine.
func (b *balancer) configure(text string, addresses []string) {
	b.t.Helper()
	_, port, err := net.SplitHostPort(b.metrics)
	if err != nil {
		b.t.Fatal(err)
	}
	own := []string{
		"0.0.0.0:4317", b.grpc, "0.0.0.0:4318", b.http, "0.0.0.0:13133", b.health,
		"host: 0.0.0.0, port: 8888", "host: 127.0.0.1, port: " + port, "/var/lib/otelcol", b.dir,
	}
	for i, addr := range b.inner {
		own = append(own, fmt.Sprintf("127.0.0.1:%d", 20000+i), addr)
	}
	b.file = filepath.Join(b.t.TempDir(), "collector.yaml")
	if err := os.WriteFile(b.file, []byte(strings.NewReplacer(append(own, addresses...)...).Replace(text)), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if b.cmd != nil {
			b.kill()
		}
		if b.t.Failed() {
			b.t.Logf("the Collector logged:\n%s", b.log.String())
		}
	})
}

// start runs it, and waits until it is healthy.
func (b *balancer) start() {
	b.t.Helper()
	b.cmd = exec.Command(distribution(b.t), "--config", b.file)
	b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = b.env, &b.log, &b.log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(b.cmd, b.done)
	e2etest.Eventually(b.t, time.Minute, func() error {
		select {
		case err := <-b.done:
			b.cmd = nil
			b.t.Fatalf("the Collector ended: %v\n%s", err, b.log.String())
		default:
		}
		a, err := e2etest.Do(b.t.Context(), http.MethodGet, "http://"+b.health, nil, nil)
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("the Collector is not healthy: %d", a.Status)
		}
		return err
	})
}

// end sends a signal and waits for the end.
func (b *balancer) end(s os.Signal) error {
	if err := b.cmd.Process.Signal(s); err != nil {
		return err
	}
	err := <-b.done
	b.cmd = nil
	return err
}

// kill ends it as a crash does.
func (b *balancer) kill() { _ = b.end(syscall.SIGKILL) }

// terminate ends it as a platform does.
func (b *balancer) terminate() {
	b.t.Helper()
	if err := b.end(syscall.SIGTERM); err != nil {
		b.t.Errorf("the Collector's end: %v", err)
	}
}

// send posts spans to it, as a client that has a token does.
func (b *balancer) send(ctx context.Context, e e2etest.Encoding, request *collector.ExportTraceServiceRequest) error {
	body, header, err := e.Encode(request)
	if err != nil {
		return err
	}
	header.Set("Authorization", "Bearer "+ingestToken)
	a, err := e2etest.Do(ctx, http.MethodPost, "http://"+b.http+"/v1/traces", header, bytes.NewReader(body))
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("the gateway answers %d %s", a.Status, a.Body)
	}
	return err
}

// distribution is the Collector that make collector builds.
func distribution(t *testing.T) string {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(root, "bin", "otelcol-treq")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%v: make collector builds it", err)
	}
	return binary
}
