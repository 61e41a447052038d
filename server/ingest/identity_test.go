package ingest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"treq/server/access"
	"treq/telemetry"
	"treq/telemetry/otlp"
)

// The hash names the request whatever its compression, its spelling of the door, and nothing more.
func TestHash(t *testing.T) {
	set := tokens(telemetry.NewSecret("a"), telemetry.NewSecret("b"))
	body, other := spans(3), spans(4)
	base := []string{"Content-Type", protobuf, "X-Api-Key", "a"}
	tests := []struct {
		name    string
		path    string
		body    []byte
		headers []string
		seed    uint64
		same    bool
	}{
		{"again", "/v1/traces", body, nil, 1, true},
		{"compressed anew", "/v1/traces", gzipped(body), []string{"Content-Encoding", "gzip"}, 1, true},
		{"compressed otherwise", "/v1/traces", zstded(body), []string{"Content-Encoding", "zstd"}, 1, true},
		{"another spelling", "/otel/v1/traces", body, nil, 1, true},
		{"another body", "/v1/traces", other, nil, 1, false},
		{"another project", "/v1/traces", body, []string{"Langsmith-Project", "p"}, 1, false},
		{"another tenant", "/v1/traces", body, []string{"X-Tenant-Id", "p"}, 1, false},
		{"another seed", "/v1/traces", body, nil, 2, false},
	}
	hash := func(path string, body []byte, headers []string, seed uint64) [16]byte {
		log := &fakeLog{}
		i := New(Options{Log: log, Tokens: set, Seed: seed})
		if w := call(i, path, body, append(headers, base...)...); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return log.one(t).Hash
	}
	want := hash("/v1/traces", body, nil, 1)
	for _, tt := range tests {
		if got := hash(tt.path, tt.body, tt.headers, tt.seed); (got == want) != tt.same {
			t.Errorf("%s: the same is %v", tt.name, !tt.same)
		}
	}
	log := &fakeLog{}
	i := New(Options{Log: log, Tokens: set, Seed: 1})
	call(i, "/v1/traces", body, "Content-Type", protobuf, "X-Api-Key", "b")
	if log.one(t).Hash == want {
		t.Error("another token: the same")
	}
	// Two projects and two tenants must not be read as one pair.
	p := hash("/v1/traces", body, []string{"Langsmith-Project", "ab", "X-Tenant-Id", "c"}, 1)
	if p == hash("/v1/traces", body, []string{"Langsmith-Project", "a", "X-Tenant-Id", "bc"}, 1) {
		t.Error("project and tenant run into one another")
	}
}

func TestDuplicatesGetTheOriginalsAnswer(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log})
	body := spans(2, badSpan)
	first := call(i, "/v1/traces", body, "Content-Type", protobuf)
	again := call(i, "/v1/traces", gzipped(body), "Content-Type", protobuf, "Content-Encoding", "gzip")
	if again.Code != 200 || !bytes.Equal(first.Body.Bytes(), again.Body.Bytes()) || len(log.entries) != 1 {
		t.Errorf("%d %q and %q, %d entries", again.Code, first.Body, again.Body, len(log.entries))
	}
	if s := i.Stats()[0].Signals[0]; s.Requests != 2 || s.Duplicates != 1 || s.Items != 2 {
		t.Errorf("%+v", s)
	}
}

func TestLoop(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log, Instance: "me"})
	checkStatus(t, call(i, "/v1/traces", spans(1), "Content-Type", protobuf, "Treq-Hop", "other, me"), 400, 3, false)
	if w := call(i, "/v1/traces", spans(1), "Content-Type", protobuf, "Treq-Hop", "other, menu"); w.Code != 200 {
		t.Errorf("a hop of another process: %d", w.Code)
	}
	if n := i.Stats()[0].Refused["loop"]; n != 1 {
		t.Errorf("%d loops", n)
	}
}

func TestTokens(t *testing.T) {
	set := tokens(telemetry.NewSecret("right"), telemetry.NewSecret(""), telemetry.NewSecret("second"))
	tests := []struct {
		name, authorization, key string
		tokens                   *access.Tokens
		open                     bool
	}{
		{"none", "", "", set, false},
		{"wrong", "Bearer wrong", "", set, false},
		{"empty", "Bearer ", "", set, false},
		{"a prefix", "Bearer righ", "", set, false},
		{"another scheme", "Basic right", "", set, false},
		{"no scheme", "right", "", set, false},
		{"bearer", "Bearer right", "", set, true},
		{"lower case", "bearer second", "", set, true},
		{"key", "", "right", set, true},
		{"wrong key", "", "wrong", set, false},
		{"one of two", "Bearer wrong", "second", set, true},
		{"no tokens", "", "", nil, true},
		{"no tokens, any key", "", "ls-any", tokens(), true},
	}
	for _, tt := range tests {
		log := &fakeLog{}
		i := New(Options{Log: log, Tokens: tt.tokens})
		read := &countingReader{r: bytes.NewReader(spans(1))}
		r := httptest.NewRequest("POST", "/v1/traces", read)
		r.Header.Set("Content-Type", protobuf)
		r.Header.Set("Authorization", tt.authorization)
		r.Header.Set("X-Api-Key", tt.key)
		w := httptest.NewRecorder()
		i.HTTP().ServeHTTP(w, r)
		if tt.open {
			if w.Code != 200 || len(log.entries) != 1 {
				t.Errorf("%s: %d", tt.name, w.Code)
			}
			continue
		}
		checkStatus(t, w, 401, 16, false)
		if read.n != 0 || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d bytes read, %v", tt.name, read.n, w.Header())
		}
	}
	a, _ := set.Authorize(access.Ingest, http.Header{"X-Api-Key": {"right"}})
	b, _ := set.Authorize(access.Ingest, http.Header{"Authorization": {"Bearer right"}})
	c, _ := set.Authorize(access.Ingest, http.Header{"X-Api-Key": {"second"}})
	if a != b || a == c || a == 0 {
		t.Errorf("scopes %d %d %d", a, b, c)
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// An answer must not come before the log has the bytes.
func TestAnswersAfterAppend(t *testing.T) {
	w := httptest.NewRecorder()
	answered := -1
	log := &fakeLog{during: func(context.Context) { answered = w.Body.Len() + len(w.Header()) }}
	r := httptest.NewRequest("POST", "/v1/traces", bytes.NewReader(spans(1)))
	r.Header.Set("Content-Type", protobuf)
	New(Options{Log: log}).HTTP().ServeHTTP(w, r)
	if answered != 0 || w.Code != 200 {
		t.Errorf("something was answered before the append: %d, %d", answered, w.Code)
	}
}

func TestStats(t *testing.T) {
	i := New(Options{Log: &fakeLog{}})
	body := spans(3)
	call(i, "/v1/traces", gzipped(body), "Content-Type", protobuf, "Content-Encoding", "gzip")
	call(i, "/v1/logs", otlp.AppendLogsRequest(nil, nil, "s", otlp.LogData{Time: 1}), "Content-Type", protobuf)
	s := i.Stats()
	if len(s) != 3 || s[0].Door != "http" || s[1].Door != "grpc" || s[2].Door != "langsmith" || len(s[0].Signals) != 3 {
		t.Fatalf("%+v", s)
	}
	want := SignalStats{Signal: "traces", Requests: 1, Items: 3, Bytes: uint64(len(body)), Wire: uint64(len(gzipped(body)))}
	if s[0].Signals[0] != want {
		t.Errorf("%+v, want %+v", s[0].Signals[0], want)
	}
	if s[0].Signals[1] != (SignalStats{Signal: "metrics"}) || s[0].Signals[2].Items != 1 {
		t.Errorf("%+v", s[0].Signals)
	}
}
