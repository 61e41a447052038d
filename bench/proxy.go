package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"treq/test/e2e/e2etest"
)

// proxy is LangChain's langsmith-collector-proxy with its defaults: OTLP over HTTP
// in, LangSmith's runs out, zstd. It makes no metrics and keeps nothing on disk.
// It cannot be had from the module proxy, so whoever measures it builds it.
type proxy struct {
	*process
	http string
}

func startProxy(s setup) (*proxy, error) {
	if s.binaries.proxy == "" {
		return nil, errors.New("-collector-proxy names no build of it")
	}
	p := &proxy{}
	var err error
	if p.http, err = e2etest.FreePort(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(p.http)
	if err != nil {
		return nil, err
	}
	p.process, err = launch(s.binaries.proxy, nil, []string{
		"HOME=" + s.dir, "HTTP_PORT=" + port, "LANGSMITH_ENDPOINT=" + s.sink, "LANGSMITH_API_KEY=bench", "LANGSMITH_PROJECT=bench",
	})
	return p, err
}

func (p *proxy) httpAddr() string    { return p.http }
func (p *proxy) grpcAddr() string    { return "" }
func (p *proxy) metricsAddr() string { return "" }
func (p *proxy) pprofAddr() string   { return "" }

// ready waits until /ready answers 200.
func (p *proxy) ready(ctx context.Context) error {
	return poll(ctx, time.Millisecond, time.Minute, func() (bool, error) {
		if p.ended() {
			return false, errors.New("the collector-proxy ended before it was ready")
		}
		status, _, err := fetch(ctx, "http://"+p.http+"/ready")
		return err == nil && status == http.StatusOK, nil
	})
}

// settled waits until every span has reached the sink as a run.
func (p *proxy) settled(ctx context.Context, sent sent, to *sink) error {
	err := poll(ctx, 20*time.Millisecond, 5*time.Minute, func() (bool, error) {
		if p.ended() {
			return false, errors.New("the collector-proxy ended")
		}
		return to.spans.Load() >= sent.spans, nil
	})
	if err != nil || to.spans.Load() != sent.spans {
		return fmt.Errorf("of %d spans %d reached the sink: %w", sent.spans, to.spans.Load(), err)
	}
	return nil
}
