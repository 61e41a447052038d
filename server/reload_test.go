package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"treq/server/config"
)

// status sends a request with these headers and gives the status.
func (p *process) status(method, path string, headers ...string) int {
	p.t.Helper()
	one, _, _ := p.Addr()
	req, err := http.NewRequest(method, "http://"+one+path, strings.NewReader("{}"))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for pair := range slices.Chunk(headers, 2) {
		if pair[0] == "Host" {
			req.Host = pair[1]
			continue
		}
		req.Header.Set(pair[0], pair[1])
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func (p *process) reload(change func(*config.Config)) (taken, restart []string, err error) {
	next := p.inForce
	change(&next)
	return p.Reload(func() (config.Config, error) { return next, nil })
}

func TestReloadTakesWhatARunningProcessCan(t *testing.T) {
	p := begin(t, withTokens(settings(t)))
	const page = "http://page.example:3000"
	taken, restart, err := p.reload(func(c *config.Config) {
		c.Tokens = config.Tokens{Ingest: secrets("sender-2"), API: secrets("viewer-2")}
		c.RequireAuth = true
		c.CORSOrigins = []string{page}
		c.AllowedHosts = []string{"treq.example"}
		c.Limits = config.Limits{MaxRequestBytes: 1 << 10, MaxInFlightBytes: 1 << 20, TokenBytesPerSecond: 1 << 30, MaxConnections: 99}
		c.Log.Level = config.LogDebug
		c.Ack = config.AckMemory
		c.TLS = config.TLS{Cert: "a", Key: "b"}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"tokens.ingest", "tokens.api", "tokens.admin", "require_auth", "cors_origins", "allowed_hosts",
		"limits.max_request_bytes", "limits.max_in_flight_bytes", "limits.token_bytes_per_second", "limits.max_connections", "log.level",
	}, taken); diff != "" {
		t.Errorf("taken:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ack", "tls.cert", "tls.key"}, restart); diff != "" {
		t.Errorf("restart:\n%s", diff)
	}
	big := "/v1/traces"
	for _, tt := range []struct {
		method, path string
		headers      []string
		want         int
	}{
		{"POST", big, []string{"X-Api-Key", "sender"}, 401},
		{"POST", big, []string{"X-Api-Key", "root"}, 401},
		{"POST", big, []string{"X-Api-Key", "sender-2"}, 200},
		{"GET", "/monitoring/runs", []string{"X-Api-Key", "viewer"}, 401},
		{"GET", "/monitoring/runs", []string{"X-Api-Key", "viewer-2"}, 200},
		{"GET", "/monitoring/metrics", nil, 401},
		{"GET", "/monitoring/metrics", []string{"X-Api-Key", "viewer-2"}, 200},
		{"GET", "/monitoring/health", []string{"Host", "treq.example"}, 200},
		{"GET", "/monitoring/health", []string{"Host", "other.example"}, 421},
		{"POST", big, []string{"X-Api-Key", "sender-2", "Origin", page}, 200},
		{"POST", big, []string{"X-Api-Key", "sender-2", "Origin", "http://other.example"}, 403},
	} {
		if got := p.status(tt.method, tt.path, tt.headers...); got != tt.want {
			t.Errorf("%s %s %v: %d, want %d", tt.method, tt.path, tt.headers, got, tt.want)
		}
	}
	one, _, _ := p.Addr()
	req, err := http.NewRequest("POST", "http://"+one+big, bytes.NewReader(make([]byte, 2<<10)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "sender-2")
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("above the new limit: %d", res.StatusCode)
	}
	if p.gate.max != 99 {
		t.Errorf("%d connections", p.gate.max)
	}
}

// What cannot be read, or cannot be put in force, changes nothing at all.
// A file of prices that says something else needs a restart, and one with a mistake
// changes nothing.
func TestReloadTellsOfOtherPrices(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.yaml")
	write := func(input string) {
		t.Helper()
		text := "models:\n  - {provider: acme, id: a-1, prices: {input: " + input + "}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	c := settings(t)
	c.Prices.File = file
	p := begin(t, c)
	for _, step := range []struct {
		input, want string
		fails       bool
	}{{"1", "[]", false}, {"2", "[prices.file]", false}, {"none", "[]", true}, {"1", "[]", false}} {
		write(step.input)
		_, restart, err := p.reload(func(*config.Config) {})
		if got := fmt.Sprint(restart); got != step.want || (err != nil) != step.fails {
			t.Errorf("a price of %s: needs a restart %s, %v; want %s", step.input, got, err, step.want)
		}
	}
}

func TestReloadIsWholeOrNothing(t *testing.T) {
	c := withTokens(settings(t))
	c.TLS = certificateFiles(t, "old")
	p := begin(t, c)
	p.client.Transport.(*http.Transport).TLSClientConfig = clientTLS(t, c.TLS)
	one, _, _ := p.Addr()
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.guards()...)
	successful := func() bool {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "treq_config_last_reload_successful" {
				return f.GetMetric()[0].GetGauge().GetValue() == 1
			}
		}
		t.Fatal("the metric is not there")
		return false
	}
	if !successful() {
		t.Error("the start counts as no success")
	}
	broken := errors.New("treq.yaml:3: lisen: unknown key")
	for name, load := range map[string]func() (config.Config, error){
		"unread": func() (config.Config, error) { return config.Config{}, broken },
		"an origin that is none": func() (config.Config, error) {
			next := p.inForce
			next.Tokens.Ingest, next.CORSOrigins = secrets("new"), []string{"nonsense"}
			return next, nil
		},
		"a certificate that is none": func() (config.Config, error) {
			next := p.inForce
			next.Tokens.Ingest, next.TLS.Cert = secrets("new"), "/nowhere"
			return next, nil
		},
	} {
		if _, _, err := p.Reload(load); err == nil {
			t.Errorf("%s: taken", name)
		}
		if successful() {
			t.Errorf("%s: the metric says it was good", name)
		}
		for token, want := range map[string]int{"sender": 200, "new": 401} {
			req, err := http.NewRequest("POST", "https://"+one+"/v1/traces", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Api-Key", token)
			req.Header.Set("Content-Type", "application/json")
			res, err := p.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s: token %q: %d", name, token, res.StatusCode)
			}
		}
	}
	next := certificateFiles(t, "new")
	if taken, restart, err := p.reload(func(c *config.Config) { c.TLS = next }); err != nil || len(restart) > 0 {
		t.Errorf("other files: %v, %v, %v", taken, restart, err)
	}
	if name := shown(t, one); name != "new" {
		t.Errorf("the door shows %q", name)
	}
	p.client.Transport.(*http.Transport).CloseIdleConnections()
	p.client.Transport.(*http.Transport).TLSClientConfig = clientTLS(t, next)
	if !successful() {
		t.Error("the metric does not say that it is good again")
	}
}

// A hundred reloads under load refuse no connection and fail no request.
func TestReloadUnderLoad(t *testing.T) {
	p := begin(t, withTokens(settings(t)))
	one, _, _ := p.Addr()
	stop := make(chan struct{})
	var sent atomic.Int64
	failed := make(chan string, 4)
	for range 4 {
		go func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				select {
				case <-stop:
					failed <- ""
					return
				default:
				}
				req, _ := http.NewRequest("POST", "http://"+one+"/v1/traces", strings.NewReader("{}"))
				req.Header.Set("X-Api-Key", "sender")
				req.Header.Set("Content-Type", "application/json")
				res, err := client.Do(req)
				if err != nil {
					failed <- err.Error()
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					failed <- res.Status
					return
				}
				sent.Add(1)
			}
		}()
	}
	for i := range 100 {
		for before := sent.Load(); sent.Load() == before && len(failed) == 0; {
			time.Sleep(time.Millisecond)
		}
		if _, _, err := p.reload(func(c *config.Config) { c.Tokens.API = secrets("viewer", strings.Repeat("x", i+1)) }); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	for range 4 {
		if why := <-failed; why != "" {
			t.Error(why)
		}
	}
}

func TestProfilesAreForThisMachine(t *testing.T) {
	c := settings(t)
	p := begin(t, c)
	if p.debug != nil {
		t.Error("profiles are answered unasked")
	}
	if code, _ := p.do("GET", "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("profiles on the one port: %d", code)
	}
	c = settings(t)
	c.Debug.Listen = config.Address{HostPort: "127.0.0.1:0", Explicit: true}
	p = begin(t, c)
	for _, tt := range []struct {
		path, host, origin string
		want               int
	}{
		{"/debug/pprof/", "", "", 200},
		{"/debug/pprof/goroutine?debug=2", "localhost:6060", "", 200},
		{"/debug/pprof/cmdline", "", "", 404},
		{"/debug/pprof/", "rebound.example", "", 421},
		{"/debug/pprof/", "", "http://page.example", 421},
		{"/monitoring/metrics", "", "", 404},
	} {
		req, err := http.NewRequest("GET", "http://"+p.debug.Addr().String()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.host != "" {
			req.Host = tt.host
		}
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		res, err := p.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != tt.want {
			t.Errorf("%+v: %d", tt, res.StatusCode)
		}
	}
	taken := c
	taken.DataDir = t.TempDir()
	taken.Debug.Listen.HostPort = p.debug.Addr().String()
	if _, err := New(t.Context(), taken, slog.New(slog.DiscardHandler), "test"); err == nil || !strings.Contains(err.Error(), "debug.listen") {
		t.Errorf("a taken port: %v", err)
	}
}
