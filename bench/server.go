package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// kind names a server that is measured.
type kind string

// The servers. Each does the whole job: it turns spans into metrics and forwards
// them; the collector-proxy forwards only.
const (
	oursFsync        kind = "treq, fsync"
	oursMemory       kind = "treq, memory"
	oursRedacted     kind = "treq, fsync, --redact=br"
	oursLangSmith    kind = "treq, fsync, to LangSmith"
	oursPassing      kind = "treq, fsync, to LangSmith, enrich: off"
	collectorMemory  kind = "Collector, memory"
	collectorDurable kind = "Collector, file_storage fsync"
	collectorProxy   kind = "LangChain's collector-proxy"
)

// kinds maps the names that flags use.
var kinds = map[string]kind{
	"fsync": oursFsync, "memory": oursMemory, "redacted": oursRedacted, "langsmith": oursLangSmith, "langsmith-passing": oursPassing,
	"collector": collectorMemory, "collector-durable": collectorDurable, "collector-proxy": collectorProxy,
}

// server is a running process under measure with a data directory of its own.
type server interface {
	pid() int
	// httpAddr and grpcAddr are host:port of OTLP's two doors, metricsAddr of /metrics.
	httpAddr() string
	grpcAddr() string
	metricsAddr() string
	// pprofAddr is where a server that was asked for allocations or profiles tells them.
	pprofAddr() string
	// ready waits until the server takes spans.
	ready(ctx context.Context) error
	// settled waits until everything that was sent is counted and forwarded.
	settled(ctx context.Context, sent sent, to *sink) error
	log() string
	kill() error
}

// setup is what a server is started with.
type setup struct {
	dir    string // its own, empty
	sink   string // URL that spans are forwarded to, "" for nowhere
	zip    bool   // the sink gets gzip
	allocs bool   // the server tells its allocations
	debug  bool   // the product answers its profiles
	extra  string // more of the product's configuration
	// sinkIs has lines of the product's configuration of its sink, "" for plain OTLP.
	sinkIs string
	binaries
}

// sent is what was acknowledged since a server's start.
type sent struct {
	spans  int64
	traces int64 // of them, those with their root
}

func start(k kind, s setup) (server, error) {
	switch k {
	case oursFsync:
		return startProduct(s, "fsync")
	case oursMemory:
		return startProduct(s, "memory")
	case oursRedacted:
		return startProduct(s, "fsync", "--redact", "br")
	case oursLangSmith:
		s.sinkIs = "    profile: langsmith\n"
		return startProduct(s, "fsync")
	case oursPassing:
		s.sinkIs = "    profile: langsmith\n    enrich: off\n"
		return startProduct(s, "fsync")
	case collectorMemory:
		return startCollector(s, "memory.yaml")
	case collectorDurable:
		return startCollector(s, "durable.yaml")
	case collectorProxy:
		return startProxy(s)
	}
	return nil, fmt.Errorf("no server %q", k)
}

// poll calls done until it says so, fails, or the time is up.
func poll(ctx context.Context, every, within time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}

// polls takes its connections from here, so that what polling costs a server is
// not a new connection each time.
var polls = &http.Client{Timeout: 30 * time.Second}

// fetch reads an address of a server.
func fetch(ctx context.Context, url string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	response, err := polls.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// allocated is what a process has allocated since its start.
type allocated struct{ bytes, objects float64 }

// allocationsOf reads them where net/http/pprof prints runtime.MemStats.
func allocationsOf(ctx context.Context, s server) (a allocated, err error) {
	status, body, err := fetch(ctx, "http://"+s.pprofAddr()+"/debug/pprof/allocs?debug=1")
	if err != nil || status != http.StatusOK {
		return a, fmt.Errorf("read allocations: %d %w", status, err)
	}
	for line := range strings.Lines(string(bytes.ToValidUTF8(body, nil))) {
		for prefix, to := range map[string]*float64{"# TotalAlloc = ": &a.bytes, "# Mallocs = ": &a.objects} {
			if value, ok := strings.CutPrefix(line, prefix); ok {
				if *to, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
					return a, err
				}
			}
		}
	}
	return a, nil
}
