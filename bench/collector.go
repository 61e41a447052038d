package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"treq/test/e2e/e2etest"
)

// otelcol is the OpenTelemetry Collector that make bench builds from
// bench/collector.
type otelcol struct {
	*process
	http, grpc, metrics, pprof string
}

// startCollector runs the Collector with a configuration of bench/collector.
func startCollector(s setup, config string) (*otelcol, error) {
	root, err := e2etest.Root()
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(root, ".cache", "bin", "otelcol-bench")
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w: make bench builds it", err)
	}
	c := &otelcol{}
	for _, addr := range []*string{&c.http, &c.grpc, &c.metrics, &c.pprof} {
		if *addr, err = e2etest.FreePort(); err != nil {
			return nil, err
		}
	}
	extensions := map[string]string{"memory.yaml": "[]", "durable.yaml": "[file_storage]"}[config]
	if s.allocs {
		extensions = map[string]string{"memory.yaml": "[pprof]", "durable.yaml": "[file_storage, pprof]"}[config]
	}
	compression := "none"
	if s.zip {
		compression = "gzip"
	}
	c.process, err = launch(binary, []string{"--config", filepath.Join(root, "bench", "collector", config)}, []string{
		"HOME=" + s.dir, "BENCH_HTTP=" + c.http, "BENCH_GRPC=" + c.grpc,
		"BENCH_METRICS=" + c.metrics, "BENCH_PPROF=" + c.pprof, "BENCH_SINK=" + s.sink, "BENCH_DIR=" + s.dir,
		"BENCH_COMPRESSION=" + compression, "BENCH_EXTENSIONS=" + extensions,
	})
	return c, err
}

func (c *otelcol) httpAddr() string    { return c.http }
func (c *otelcol) grpcAddr() string    { return c.grpc }
func (c *otelcol) metricsAddr() string { return c.metrics }
func (c *otelcol) pprofAddr() string   { return c.pprof }

// ready waits until an empty request is answered.
func (c *otelcol) ready(ctx context.Context) error {
	return poll(ctx, time.Millisecond, time.Minute, func() (bool, error) {
		if c.ended() {
			return false, errors.New("the Collector ended before it was ready")
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.http+"/v1/traces", http.NoBody)
		if err != nil {
			return false, err
		}
		request.Header.Set("Content-Type", "application/x-protobuf")
		response, err := polls.Do(request)
		if err != nil {
			return false, nil // not listening yet
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK, nil
	})
}

// settled waits for the sink: its metrics are aggregated before a request is
// answered.
func (c *otelcol) settled(ctx context.Context, sent sent, to *sink) error {
	err := poll(ctx, 20*time.Millisecond, 5*time.Minute, func() (bool, error) {
		if c.ended() {
			return false, errors.New("the Collector ended")
		}
		return to.spans.Load() >= sent.spans, nil
	})
	if err != nil || to.spans.Load() != sent.spans {
		return fmt.Errorf("of %d spans %d reached the sink: %w", sent.spans, to.spans.Load(), err)
	}
	return nil
}
