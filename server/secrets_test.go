package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"treq/server/config"
	"treq/telemetry"
	"treq/telemetry/export"
)

// shared is a log that many write and a test reads.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// canaries gives secrets that can be told apart wherever they turn up.
type canaries struct{ n int }

func (c *canaries) next() string {
	c.n++
	return fmt.Sprintf("canary-%02d-4f9c", c.n)
}

func (c *canaries) secret() telemetry.Secret { return telemetry.NewSecret(c.next()) }

// Secrets of every setting that takes one, tokens of callers, right and wrong, and
// what users asked turn up nowhere: not in the log at its most talkative, not in
// the settings shown, not in a metric, a document, an error or a profile. The sink
// is one that answers with what it was sent.
func TestSecretsStayWhereTheyAre(t *testing.T) {
	var c canaries
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "not with %v to %s", r.Header, r.URL)
	}))
	defer echo.Close()
	file := filepath.Join(t.TempDir(), "treq.yaml")
	text := fmt.Sprintf(`
listen: 127.0.0.1:0
otlp: {http: "127.0.0.1:0", grpc: "127.0.0.1:0"}
data_dir: %s
require_auth: true
tokens: {ingest: [%s, sender], api: [%s, viewer], admin: [%s]}
debug: {listen: "127.0.0.1:0"}
log: {level: debug}
sinks:
  - {name: echo, endpoint: "http://user:%s@%s/v1/traces?key=%s", headers: {Authorization: "Basic %s", X-Api-Key: %s}}
  - {name: langsmith, profile: langsmith, endpoint: "%s", headers: {x-api-key: %s}}
  - {name: dead, endpoint: "http://user:%s@127.0.0.1:1/v1/traces?key=%s", headers: {X-Api-Key: %s}}
notifications:
  receivers:
    - {name: slack, kind: slack, url: "%s/%s"}
    - {name: hook, kind: webhook, url: "%s/%s", token: %s, secret: %s, headers: {X-Key: %s}}
    - {name: bot, kind: telegram, token: %s, chat: "1"}
    - {name: mail, kind: email, address: "127.0.0.1:1", username: a, password: %s, from: a@b.example, to: [c@d.example]}
    - {name: other, kind: shoutrrr, url: "ntfy://user:%s@127.0.0.1/topic"}
`, t.TempDir(), c.next(), c.next(), c.next(), c.next(), strings.TrimPrefix(echo.URL, "http://"), c.next(), c.next(), c.next(),
		echo.URL, c.next(), c.next(), c.next(), c.next(),
		echo.URL, c.next(), echo.URL, c.next(), c.next(), c.next(), c.next(), c.next(), c.next(), c.next())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Sources{File: file, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	look := func(where, text string) {
		if i := strings.Index(text, "canary-"); i >= 0 && found[where] == "" {
			found[where] = text[max(0, i-80):min(len(text), i+40)]
		}
	}
	var show strings.Builder
	if err := loaded.Show(&show); err != nil {
		t.Fatal(err)
	}
	look("the settings shown", show.String())
	look("the tokens printed", fmt.Sprintf("%v %+v %#v", loaded.Config.Tokens, loaded.Config.Tokens, loaded.Config.Tokens))

	log := &shared{}
	s, err := New(t.Context(), loaded.Config, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), "test")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Server: s, t: t, client: &http.Client{Transport: &http.Transport{}}, logs: log}
	defer p.end()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	one, otlpHTTP, _ := p.Addr()
	ask := func(base, method, path, token, body string) {
		req, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("X-Api-Key", token)
		}
		req.Header.Set("Cookie", c.next())
		res, err := p.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var text []byte
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			text = make([]byte, 64<<10) // the first event: the stream has no end
			n, _ := res.Body.Read(text)
			text = text[:n]
		} else if text, err = io.ReadAll(res.Body); err != nil {
			t.Fatal(err)
		}
		look(method+" "+path, fmt.Sprint(res.Header)+string(text))
	}
	span := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]},"scopeSpans":[{"spans":[
		{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"chat m","startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.prompt","value":{"stringValue":"%s"}},{"key":"gen_ai.completion","value":{"stringValue":"%s"}}]}]}]}]}`,
		c.next(), c.next())
	for _, base := range []string{"http://" + one, "http://" + otlpHTTP} {
		ask(base, "POST", "/v1/traces", "sender", span)
		ask(base, "POST", "/v1/traces", "sender", `{"resourceSpans": "`+c.next()) // broken
		ask(base, "POST", "/v1/traces", c.next(), "{}")
	}
	for s.built.sinks.Status()[0].LastError == "" {
		if err := s.built.meter.WaitCounted(t.Context(), s.built.journal.Durable()); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range routes(t) {
		if strings.HasPrefix(r.Path, "/monitoring/runs") {
			continue // shows what users asked, to those who may see it
		}
		for _, token := range []string{"", c.next(), "sender", "viewer"} {
			ask("http://"+one, r.Method, r.Path, token, "{}")
		}
	}
	for _, name := range []string{"goroutine?debug=2", "goroutine?debug=1", "heap?debug=1", "cmdline"} {
		ask("http://"+p.debug.Addr().String(), "GET", "/debug/pprof/"+name, "", "")
	}
	if _, _, err := p.reload(func(next *config.Config) {
		next.Tokens.Ingest = append(next.Tokens.Ingest, c.secret())
		next.Sinks = []export.Config{}
	}); err != nil {
		t.Fatal(err)
	}
	if c.n < 25 {
		t.Fatalf("%d canaries", c.n)
	}
	for _, st := range s.built.sinks.Status() {
		look("the state of the sinks", fmt.Sprintf("%+v", st))
	}
	look("the log", log.String())
	for where, text := range found {
		t.Errorf("%s shows a secret: …%s…", where, text)
	}
}
