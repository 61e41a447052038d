package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// reloads changes the settings under load, now and then to what is no good.
func reloads(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		times := size(6, 100, 1000)
		sink := e2etest.NewSink(t)
		dir := e2etest.DataDir(t)
		s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: toSink(sink)})
		// The harness writes the file beside the data directory.
		path := filepath.Join(filepath.Dir(dir), filepath.Base(dir)+".yaml")
		load := startLoad(t, s, plan{workers: 4, traces: 4})
		refused := 0
		for i := range times {
			text, bad := toSink(sink)+fmt.Sprintf("log:\n  level: %s\nlimits:\n  max_request_bytes: %dMiB\n", []string{"debug", "info"}[i%2], 8+i%8), i%5 == 4
			if bad {
				text += "no_such_setting: 1\n"
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			done := load.rounds.Load()
			if err := s.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			want := "treq_config_last_reload_successful 1"
			if bad {
				want = "treq_config_last_reload_successful 0"
				refused++
			}
			err := within(settled, func() error {
				if !strings.Contains(string(s.Get("/metrics").Body), want) || load.rounds.Load() < done+2 {
					return fmt.Errorf("no %q", want)
				}
				return nil // what is not there shows nothing
			})
			if err != nil {
				t.Error(err)
			}
		}
		load.finish()
		f.say("%d reloads, %d of them of a bad file", times, refused)
		f.want(load.unheard.Load() == 0, "%d connections refused or cut", load.unheard.Load())
		f.want(load.refused.Load() == 0, "%d requests refused", load.refused.Load())
		f.delivered(load.ledger, sink)
		e.totals(t, s, load.ledger.Totals())
	}
}

// secrets plants canaries and looks for them wherever the service shows something.
func secrets(t *testing.T, f *figures) {
	sink := e2etest.NewSink(t)
	sink.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Status: 401, Body: []byte("bad key")} })
	canaries := map[string]string{}
	plant := func(what string) string {
		canaries[what] = fmt.Sprintf("canary%02d%s", len(canaries), strings.ReplaceAll(what, " ", ""))
		return canaries[what]
	}
	config := toSink(sink) + fmt.Sprintf("    headers:\n      Authorization: Bearer %s\n      X-Other: %s\n", plant("header"), plant("other header")) +
		fmt.Sprintf("  - name: smith\n    profile: langsmith\n    endpoint: %s/v1/traces\n    api_key: %s\n", sink.URL(), plant("api key")) +
		fmt.Sprintf("tokens:\n  ingest: [%s, %s]\n  api: [%s]\n  admin: [%s]\nlog:\n  level: debug\n", plant("ingest token"), plant("second ingest token"), plant("api token"), plant("admin token"))
	env := []string{
		"LANGSMITH_TRACING=true", "LANGSMITH_API_KEY=" + plant("langsmith key"), "LANGSMITH_ENDPOINT=" + sink.URL(),
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + sink.URL(), "OTEL_EXPORTER_OTLP_HEADERS=authorization=" + plant("otlp header"),
	}
	dir := e2etest.DataDir(t)
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: config, Env: env})
	shown := map[string]string{}
	header := func(token string) map[string][]string {
		return map[string][]string{"Authorization": {"Bearer " + token}, "Content-Type": {protobufType}}
	}
	one := e2etest.NewGenerator(27).Trace(e2etest.Question{Content: plant("prompt")}, time.Now())
	body, _, err := e2etest.Encoding{}.Encode(e2etest.Request(service, one.Spans...))
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Do("POST", "/v1/traces", header(canaries["ingest token"]), strings.NewReader(string(body))); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	for name, h := range map[string]map[string][]string{
		"wrong token": header(plant("wrong token")), "no bearer": {"Authorization": {"Basic " + plant("basic")}}, "x-api-key": {"X-Api-Key": {plant("x-api-key")}},
	} {
		a := s.Do("POST", "/v1/traces", h, strings.NewReader(string(body)))
		if a.Status != 401 {
			t.Errorf("%s: %d", name, a.Status)
		}
		shown[name] = fmt.Sprint(a.Header) + string(a.Body)
		a = s.Do("GET", "/monitoring/runs", h, nil)
		shown[name+" runs"] = fmt.Sprint(a.Header) + string(a.Body)
	}
	_ = within(10*time.Second, func() error {
		if s.Sink("any").LastError == "" {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	for _, path := range []string{"/", "/monitoring/metrics", "/monitoring/stats/summary", "/monitoring/sinks", "/monitoring/chats/entries", "/monitoring/health", "/metrics", "/readyz?verbose", "/healthz", "/nothing", "/monitoring/runs"} {
		a := s.Get(path)
		shown[path] = fmt.Sprint(a.Header) + string(a.Body)
	}
	if err := s.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := s.Signal(syscall.SIGQUIT); err != nil { // every goroutine on stderr
		t.Fatal(err)
	}
	if _, err := s.Exit(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	shown["log and goroutines"] = s.Log()
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	shown["config show"] = output(t, env, binary, "config", "show", "--config", filepath.Join(filepath.Dir(dir), filepath.Base(dir)+".yaml"))
	for _, entry := range []string{"sinks", "identity.json", "checkpoint-0", "checkpoint-1"} {
		err := filepath.Walk(filepath.Join(dir, entry), func(path string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return nil // what is not there shows nothing
			}
			text, err := os.ReadFile(path)
			shown[entry+" "+filepath.Base(path)] = string(text)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	hits := 0
	for where, text := range shown {
		for what, canary := range canaries {
			if strings.Contains(text, canary) {
				hits++
				t.Errorf("the %s is in %s", what, where)
			}
		}
	}
	r := goTest(t, f, "./telemetry/export", "^TestSecretsStaySecret$")
	f.want(hits == 0 && r.failed == 0, "%d canaries in %d places: %d found", len(canaries), len(shown), hits)
}

// callers points at the matrix of who may do what, and tries how the service starts.
func callers(t *testing.T, f *figures) {
	r := goTest(t, f, "./server", "^(TestWhoMayDoWhat|TestABombWithoutATokenIsNotRead|TestRunsNeedATokenBeyondLoopback)$")
	f.want(r.failed == 0 && r.passed >= 3, "every route by every caller over HTTP, gRPC and TLS as listed; a bomb without a token is not read")
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	text := output(t, nil, binary, "serve", "--listen", "0.0.0.0:0", "--require-auth", "--data-dir", e2etest.DataDir(t))
	f.want(strings.Contains(text, "require"), "--require-auth without tokens beyond loopback does not start")
}
