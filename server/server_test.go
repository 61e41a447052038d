package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"treq/server/config"
	"treq/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settings(t *testing.T) config.Config {
	c := config.Defaults()
	c.Listen = config.Address{HostPort: "127.0.0.1:0", Explicit: true}
	c.OTLP.HTTP, c.OTLP.GRPC = c.Listen, c.Listen
	c.DataDir = t.TempDir()
	c.Journal.LockWait = 0
	return c
}

// process is a started server with a client of its own.
type process struct {
	*Server
	t      *testing.T
	client *http.Client
	logs   *shared
}

func begin(t *testing.T, c config.Config) *process {
	t.Helper()
	p := &process{t: t, client: &http.Client{Transport: &http.Transport{}}, logs: &shared{}}
	s, err := New(t.Context(), c, slog.New(slog.NewTextHandler(p.logs, nil)), "test")
	if err != nil {
		t.Fatal(err)
	}
	p.Server = s
	t.Cleanup(func() { p.end() })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) end() {
	p.t.Helper()
	p.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		p.t.Errorf("Stop: %v", err)
	}
}

func (p *process) do(method, path string) (int, string) {
	p.t.Helper()
	one, _, _ := p.Addr()
	req, err := http.NewRequest(method, "http://"+one+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (p *process) total() float64 {
	p.t.Helper()
	code, body := p.do("GET", "/monitoring/stats/summary")
	var summary map[string]any
	if err := json.Unmarshal([]byte(body), &summary); err != nil || code != http.StatusOK {
		p.t.Fatalf("summary: %d %s %v", code, body, err)
	}
	return summary["total_requests"].(float64)
}

const post = "/monitoring/chat/metrics?success=true&response_time_ms=500"

func TestEveryPostIsInTheNextGet(t *testing.T) {
	p := begin(t, settings(t))
	for n := range 20 {
		if code, body := p.do("POST", post); code != http.StatusOK {
			t.Fatalf("post: %d %s", code, body)
		}
		if got := p.total(); got != float64(n+1) {
			t.Fatalf("after %d posts the summary shows %v", n+1, got)
		}
	}
}

func TestTotalsOutliveTheProcess(t *testing.T) {
	c := settings(t)
	for life := range 3 {
		p := begin(t, c)
		// The listener answers while the journal is replayed: the first documents may be 503.
		for p.built.meter.Ready() != nil {
			if err := p.built.meter.WaitCounted(t.Context(), p.built.journal.Durable()); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.total(); got != float64(life) {
			t.Fatalf("life %d begins with %v chats", life, got)
		}
		p.do("POST", post)
		p.end()
	}
}

func TestADirectoryBelongsToOneProcess(t *testing.T) {
	c := settings(t)
	begin(t, c)
	second, err := New(t.Context(), c, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Stop(context.Background()) }()
	one, _, _ := second.Addr()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + one + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("readyz of a process without a data directory: %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
	err = second.Start()
	if err == nil || telemetry.KindOf(err) != telemetry.Unavailable || !strings.Contains(err.Error(), c.DataDir) {
		t.Errorf("Start on a directory in use = %v; want an error that names it", err)
	}
}

func TestTakenPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := config.Address{HostPort: taken.Addr().String()}

	c := settings(t)
	c.OTLP.GRPC = address
	p := begin(t, c)
	if _, _, grpc := p.Addr(); grpc != "" || !strings.Contains(p.logs.String(), "taken") {
		t.Errorf("a standard port nobody asked for is taken: address %q, log %q", grpc, p.logs)
	}

	c = settings(t)
	c.OTLP.GRPC = address
	c.OTLP.GRPC.Explicit = true
	if s, err := New(t.Context(), c, slog.New(slog.DiscardHandler), "test"); err == nil {
		_ = s.Stop(context.Background())
		t.Error("a port somebody asked for is taken: no error")
	}
}

func TestStopBeforeStart(t *testing.T) {
	s, err := New(t.Context(), settings(t), slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
