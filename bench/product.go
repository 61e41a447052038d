package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"treq/test/e2e/e2etest"
)

// product is this repository's service.
type product struct {
	*process
	one, http, grpc, pprof string
	forwards               bool
}

// startProduct runs the built service; ack is its flag of that name, more are others.
func startProduct(s setup, ack string, more ...string) (*product, error) {
	config := "log:\n  level: warn\n" + s.extra
	if s.sink != "" {
		compression := "none"
		if s.zip {
			compression = "gzip"
		}
		endpoint := s.sink + "/v1/traces"
		if s.sinkIs != "" { // its profile completes it
			endpoint = s.sink + "\n    api_key: bench"
		}
		config += fmt.Sprintf("sinks:\n  - name: bench\n    endpoint: %s\n    compression: %s\n%s", endpoint, compression, s.sinkIs)
	}
	p := &product{forwards: s.sink != ""}
	for _, addr := range []*string{&p.one, &p.http, &p.grpc, &p.pprof} {
		var err error
		if *addr, err = e2etest.FreePort(); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(s.dir, "treq.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	binary := s.binaries.plain
	env := []string{"HOME=" + s.dir}
	if s.allocs {
		binary = s.binaries.telling
		env = append(env, "BENCH_PPROF="+p.pprof)
	}
	args := []string{
		"serve", "--listen", p.one, "--otlp-http", p.http, "--otlp-grpc", p.grpc,
		"--data-dir", filepath.Join(s.dir, "data"), "--config", file, "--ack", ack,
	}
	args = append(args, more...)
	if s.debug && !s.allocs {
		args = append(args, "--debug-listen", p.pprof)
	}
	var err error
	p.process, err = launch(binary, args, env)
	return p, err
}

func (p *product) httpAddr() string    { return p.http }
func (p *product) grpcAddr() string    { return p.grpc }
func (p *product) metricsAddr() string { return p.one }
func (p *product) pprofAddr() string   { return p.pprof }

// ready waits until /readyz answers 200.
func (p *product) ready(ctx context.Context) error {
	return poll(ctx, time.Millisecond, 5*time.Minute, func() (bool, error) {
		status, _, err := fetch(ctx, "http://"+p.one+"/readyz")
		if err == nil && status == http.StatusOK {
			return true, nil
		}
		if p.ended() {
			return false, errors.New("the service ended before it was ready")
		}
		return false, nil
	})
}

// settled waits until every chat is counted and every span forwarded. Chats close
// some seconds after their last span: asking seldom keeps the wait cheap.
func (p *product) settled(ctx context.Context, sent sent, to *sink) error {
	var counted e2etest.Totals
	err := poll(ctx, 500*time.Millisecond, 5*time.Minute, func() (bool, error) {
		if p.forwards && to.spans.Load() < sent.spans {
			return false, nil
		}
		var documents e2etest.Metrics
		if err := p.document(ctx, "/monitoring/metrics", &documents); err != nil {
			return false, err
		}
		counted = e2etest.Of(documents)
		return counted.Chats >= sent.traces, nil
	})
	if err != nil || p.forwards && to.spans.Load() != sent.spans || counted.Chats != sent.traces {
		return fmt.Errorf("of %+v %d spans reached the sink and %+v are counted: %w", sent, to.spans.Load(), counted, err)
	}
	return nil
}

func (p *product) document(ctx context.Context, path string, v any) error {
	status, body, err := fetch(ctx, "http://"+p.one+path)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, status, body)
	}
	return json.Unmarshal(body, v)
}

// listener is added to a build that tells its allocations. The product itself has
// nothing of it.
const listener = `package main

import (
	"net/http"
	_ "net/http/pprof"
	"os"
)

var _ = func() bool {
	if addr := os.Getenv("BENCH_PPROF"); addr != "" {
		go func() { _ = http.ListenAndServe(addr, nil) }()
	}
	return true
}()
`

// binaries are the builds of the service that a run measures.
type binaries struct {
	plain   string
	telling string // tells its allocations
	proxy   string // LangChain's collector-proxy; "" if there is none
}

// buildAll builds the service once for a whole run, so that what is built
// meanwhile changes nothing. TREQ_E2E_BINARY names a build that is there already.
func buildAll(ctx context.Context, dir string, telling bool) (b binaries, err error) {
	if b.plain = os.Getenv("TREQ_E2E_BINARY"); b.plain == "" {
		if b.plain, err = build(ctx, dir, false); err != nil {
			return b, err
		}
	}
	if telling {
		b.telling, err = build(ctx, dir, true)
	}
	return b, err
}

// releaseProfile is what released programs are compiled for, of scripts/profile.
const releaseProfile = "cmd/treq-telemetry/release.pgo"

// build builds the service as it is released; with telling it tells its allocations.
func build(ctx context.Context, dir string, telling bool) (string, error) {
	root, err := e2etest.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "treq-telemetry")
	args := []string{"build", "-trimpath", "-pgo=" + releaseProfile}
	if telling {
		path += "-telling"
		source, overlay := filepath.Join(dir, "listener.go"), filepath.Join(dir, "overlay.json")
		replace, err := json.Marshal(map[string]map[string]string{
			"Replace": {filepath.Join(root, "cmd", "treq-telemetry", "bench_listener.go"): source},
		})
		if err != nil {
			return "", err
		}
		if err := errors.Join(os.WriteFile(source, []byte(listener), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	command := exec.CommandContext(ctx, "go", append(args, "-o", path, "./cmd/treq-telemetry")...)
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the service: %w\n%s", err, out)
	}
	return path, nil
}
