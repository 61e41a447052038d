package terminal

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"treq/telemetry"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service answers with documents; a path that is not there answers 404.
type service map[string]string

func (s service) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := s[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header()["Date"] = []string{now.UTC().Format(http.TimeFormat)}
		if strings.HasPrefix(body, "503 ") {
			w.WriteHeader(http.StatusServiceUnavailable)
			body = body[4:]
		}
		if strings.HasPrefix(body, "401 ") {
			w.WriteHeader(http.StatusUnauthorized)
			body = body[4:]
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	c, err := NewClient(server.URL, telemetry.NewSecret("secret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var now = time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)

func busy() service {
	return service{
		"/readyz":             `{"status":"ready","reasons":[],"notices":["the data directory lies in memory: acknowledged data lives as long as that"]}`,
		"/monitoring/metrics": `{"uptime_seconds":7300,"system":{"memory_usage_mb":51.4,"cpu_percent":2,"status":"degraded"},"chat":{"total_requests":12860,"failed_requests":386,"avg_response_time_ms":1594.2},"rag":{"total_searches":9302,"avg_similarity_score":0.697,"cache_hits":2000},"llm":{"total_calls":12867,"total_tokens":1512345,"avg_latency_ms":540}}`,
		"/monitoring/models": `{"currency":"USD","prices_date":"2026-08-21","total":{"cost":12.4085,"unpriced_tokens":18100,"price_coverage_ratio":0.98},"models":[
			{"model":"llama-3.3-70b-versatile","calls":824,"errors":21,"cost":0.28,"tokens":{"total":442500},"latency":{"p50_ms":605,"p95_ms":1280},"time_to_first_token":{"p95_ms":584}},
			{"model":"text-embedding-004","calls":1432,"errors":0,"cost":0,"unpriced_tokens":18100,"tokens":{"total":18100},"latency":{"p50_ms":49,"p95_ms":78},"time_to_first_token":{"p95_ms":null}},
			{"model":"\u001b[31mhostile\u202e\u0007\n","calls":1,"errors":0,"cost":0.00001,"tokens":{"total":3},"latency":{"p50_ms":1,"p95_ms":1},"time_to_first_token":{"p95_ms":null}}]}`,
		"/monitoring/sinks": `{"sinks":[{"name":"langsmith","profile":"langsmith","state":"paused","queue_spans":12345,"oldest_age_seconds":4000,"sent_spans":99000,"dead_lettered_spans":2,"last_error":"401 Unauthorized: the key is not known here, or no longer"}]}`,
		"/monitoring/alerts": `{"alerts":[{"name":"error_rate","instances":[{"severity":"critical","state":"firing","since":"2026-11-23T14:59:05Z","texts":{"en":{"summary":"Error rate above 10%"},"pt-BR":{"summary":"Taxa de erro acima de 10%"}}}]},{"name":"low_similarity","instances":[]}],
			"receivers":[{"name":"slack","state":"retrying","last_error":"no answer within 10s"}]}`,
		"/monitoring/health": `{"status":"degraded","telemetry":{"services":[{"service":"treq-backend","last_seen_seconds":1200,"unpriced_tokens_ratio":0.012,"streams_without_usage_ratio":0.4,"searches_without_scores_ratio":0}]}}`,
		"/monitoring/runs": `{"runs":[
			{"run_id":"00000000-0000-0000-dfd2-f442bb2a5fb9","name":"POST /chat","service":"treq-backend","start":"2026-11-23T15:04:02Z","duration_ms":239.5,"outcome":"success","spans":3,"model":"glm-4.7","tokens":743,"cost_usd":0.0002,"similarity":0.672},
			{"run_id":"0191d0a8-7c3e-7000-8000-0242ac120002","name":"chat","service":"treq","start":"2026-11-23T15:04:01Z","duration_ms":12039.5,"outcome":"failure","error_type":"RateLimitError","spans":5}]}`,
		"/monitoring/runs/dfd2f442bb2a5fb9": `{"run_id":"00000000-0000-0000-dfd2-f442bb2a5fb9","name":"POST /chat","service":"treq-backend","duration_ms":964.1,"outcome":"failure","langsmith_url":"https://smith.langchain.com/o/default","repeated_spans":2,
			"counted":{"chats":1,"llm_calls":2,"llm_tokens":1743,"searches":1,"cost_usd":0.0021},
			"tree":[{"name":"POST /chat","kind":"other","duration_ms":964.1,"outcome":"failure","error_type":"TimeoutError","status_message":"the model did not answer in time, neither at the first nor at the second try, and there was no third","explanation":{"disposition":"recorded","reason":"chat","events":["chat"],"why":"It is a user's question: one chat."},"children":[
				{"name":"retrieval treq-docs","kind":"retriever","duration_ms":137.9,"outcome":"success","explanation":{"disposition":"recorded","reason":"retrieval","events":["retrieval"],"why":"It is one search."},"children":[{"name":"embeddings","kind":"embedding","duration_ms":51,"outcome":"success","children":[]}]},
				{"name":"chat glm-4.7","kind":"llm","duration_ms":787.8,"outcome":"success","explanation":{"disposition":"recorded","events":["llm_call"],"why":"","tokens":{"total":743},"cost_usd":0.0011},"children":[]}]}]}`,
	}
}

// golden compares what was written with a file, after taking out the address.
func golden(t *testing.T, name, got, address string) {
	t.Helper()
	got = strings.ReplaceAll(got, address, "http://service"+strings.Repeat("-", max(0, len(address)-len("http://service"))))
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	for _, line := range strings.Split(got, "\n") {
		if columns(line) > 80 {
			t.Errorf("%s: %d columns: %s", name, columns(line), line)
		}
		for _, r := range line {
			if unicode.IsControl(r) {
				t.Errorf("%s: control character %q in %q", name, r, line)
			}
		}
	}
}

// fixedAddress makes the width of the address the same whatever the port is.
func fixedAddress(c *Client, text string) string {
	return strings.ReplaceAll(text, c.Address(), "http://service")
}

func TestScreens(t *testing.T) {
	t.Setenv("TZ", "UTC")
	time.Local = time.UTC
	c := busy().client(t)
	for _, language := range []Language{English, Portuguese} {
		s := Screen{Columns: 80, Language: language}
		picture, err := Top(t.Context(), c, s, now)
		if err != nil {
			t.Fatal(err)
		}
		_, below, _ := strings.Cut(picture, "\n")
		golden(t, "top."+string(language)+".txt", below, c.Address())

		var b bytes.Buffer
		if err := Tail(t.Context(), c, s, TailOptions{}, &b); err != nil {
			t.Fatal(err)
		}
		golden(t, "tail."+string(language)+".txt", b.String(), c.Address())
		b.Reset()
		if err := Explain(t.Context(), c, s, "dfd2f442bb2a5fb9", &b); err != nil {
			t.Fatal(err)
		}
		golden(t, "explain."+string(language)+".txt", b.String(), c.Address())
		found, err := Doctor(t.Context(), c, s, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			found[i].Title = fixedAddress(c, found[i].Title)
		}
		sortFindings(found)
		b.Reset()
		problems, err := s.Report(&b, found)
		if err != nil || problems == 0 {
			t.Errorf("%d problems, %v", problems, err)
		}
		golden(t, "doctor."+string(language)+".txt", b.String(), c.Address())
	}
}

// sortFindings brings what was asked for in any order into one.
func sortFindings(found []Finding) {
	for i := range found {
		for j := i + 1; j < len(found); j++ {
			if found[j].Title < found[i].Title {
				found[i], found[j] = found[j], found[i]
			}
		}
	}
}

func TestDoctorFindsClocksReplayAndClosedDoors(t *testing.T) {
	titles := func(s service, at time.Time) string {
		found, err := Doctor(t.Context(), s.client(t), Screen{}, func() time.Time { return at })
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range found {
			if f.Level == Problem {
				b.WriteString(f.Title + "\n")
			}
		}
		return b.String()
	}
	s := busy()
	if got := titles(s, now.Add(time.Minute)); !strings.Contains(got, "differ by 1 min") {
		t.Errorf("a clock that is off: %s", got)
	}
	s["/readyz"] = `503 {"status":"not ready","reasons":["the journal is read: 40 %"]}`
	if got := titles(s, now); !strings.Contains(got, "not ready: the journal is read: 40 %") {
		t.Errorf("a replay: %s", got)
	}
	s["/monitoring/metrics"] = `401 {"detail":"a token is needed"}`
	if got := titles(s, now); !strings.Contains(got, "the numbers need a token") {
		t.Errorf("a closed door: %s", got)
	}
	s = service{"/readyz": `{"status":"ready"}`, "/monitoring/metrics": `{}`}
	if got := titles(s, now); !strings.Contains(got, "nothing was counted yet") {
		t.Errorf("a new service: %s", got)
	}
}

func TestNobodyAnswers(t *testing.T) {
	c, err := NewClient("127.0.0.1:1", telemetry.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = Top(t.Context(), c, Screen{}, now)
	if err == nil || !strings.HasPrefix(err.Error(), "no answer from http://127.0.0.1:1: ") {
		t.Errorf("%v", err)
	}
	for _, address := range []string{"", "ftp://x", "http://", "http://%"} {
		if _, err := NewClient(address, telemetry.Secret{}); err == nil {
			t.Errorf("%q is taken as an address", address)
		}
	}
}

func TestFollowGoesOnWhenTheServiceIsGone(t *testing.T) {
	s := busy()
	c := s.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	var frames []string
	err := Follow(ctx, c, func() Screen { return Screen{} }, time.Millisecond, func(f string) error {
		frames = append(frames, f)
		switch len(frames) {
		case 1:
			delete(s, "/monitoring/metrics")
		case 2:
			cancel()
		}
		return nil
	})
	if err != nil || len(frames) != 2 || !strings.Contains(frames[0], "langsmith") || !strings.Contains(frames[1], "404") {
		t.Errorf("%v, %d frames", err, len(frames))
	}
	if !strings.HasPrefix(frames[0], "\x1b[H") || !strings.HasSuffix(frames[0], "\x1b[J") {
		t.Error("a frame does not cover the one before")
	}
}

func TestColours(t *testing.T) {
	c := busy().client(t)
	picture, err := Top(t.Context(), c, Screen{Colours: true}, now)
	if err != nil || !strings.Contains(picture, "\x1b[31m") {
		t.Errorf("no colour: %v", err)
	}
	if strings.Contains(picture, "\x1b[31mhostile") || strings.Contains(picture, "\u202e") {
		t.Error("what a service sent steers the terminal")
	}
}

func TestTexts(t *testing.T) {
	s, p := Screen{}, Screen{Language: Portuguese}
	v := 1234.5
	for _, tt := range []struct{ got, want string }{
		{s.number(1234567.891, 2), "1,234,567.89"},
		{p.number(1234567.891, 2), "1.234.567,89"},
		{s.number(-0.001, 2), "0.00"},
		{p.short(37700), "37,7K"},
		{s.ms(&v), "1.23 s"},
		{s.ms(nil), none},
		{p.money(0.0123, "USD"), "US$ 0,0123"},
		{s.money(0.000012, "USD"), "US$ 0.000012"},
		{p.money(12.5, "BRL"), "BRL 12,50"},
		{s.span(90 * time.Minute), "1 h"},
		{cut("日本語テキスト", 7), "日本語…"},
		{fit("ação", 6, true), "  ação"},
		{Clean("a\x1b[2Jb\nc\u202ed"), "a\ufffd[2Jb c\ufffdd"},
		{shortID("00000000-0000-0000-dfd2-f442bb2a5fb9"), "dfd2f442bb2a5fb9"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	for env, want := range map[string]Language{"pt_BR.UTF-8": Portuguese, "en_US": English, "C": English, "": English} {
		if got := LanguageOf(func(name string) string {
			if name == "LANG" {
				return env
			}
			return ""
		}); got != want {
			t.Errorf("LANG=%s: %s", env, got)
		}
	}
}
