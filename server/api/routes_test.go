package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryRouteAnswers(t *testing.T) {
	f := newFixture(t)
	for _, r := range f.api.Routes() {
		w := f.do(r.Method, r.Path, "")
		want := 200
		if r.Method == "POST" {
			want = 422 // nothing was sent
		}
		if w.Code != want || w.Header().Get("X-Content-Type-Options") != "nosniff" || r.About == "" {
			t.Errorf("%s %s: %d %s", r.Method, r.Path, w.Code, w.Body)
		}
	}
}

func TestStatusDocuments(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Sinks = func() any { return []map[string]string{{"name": "langsmith<&>"}} }
		o.ChatEntries = func() any { return []string(nil) }
	})
	tests := []struct{ target, want string }{
		{"/monitoring/health", `{"status":"ok","service":"treq-monitoring","timestamp":"2026-01-05T12:00:00"}`},
		{"/monitoring/sinks", `{"sinks":[{"name":"langsmith<&>"}]}`},
		{"/monitoring/chats/entries", `{"entries":[]}`},
		{"/healthz", `{"status":"ok"}`},
		{"/livez", `{"status":"ok"}`},
		{"/readyz", `{"status":"ready","reasons":[]}`},
		{"/readyz?verbose", `{"status":"ready","reasons":[],"checks":[{"name":"replay","status":"ok"}]}`},
		{"/metrics", `exposition`},
	}
	for _, tt := range tests {
		w := f.do("GET", tt.target, "")
		if w.Code != 200 || w.Body.String() != tt.want {
			t.Errorf("%s: %d %s\nwant %s", tt.target, w.Code, w.Body, tt.want)
		}
	}
	if got := newFixture(t).do("GET", "/monitoring/sinks", "").Body.String(); got != `{"sinks":[]}` {
		t.Errorf("no sinks: %s", got)
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	var disk error
	f := newFixture(t, func(o *Options) {
		o.Checks = []Check{{"journal", func() error { return disk }}}
		o.Notices = func() []string { return []string{"the data directory lives in memory"} }
	})
	f.meter.ready = errReplay
	disk = unavailable()
	w := f.do("GET", "/readyz", "")
	if want := `{"status":"not ready","reasons":["replay: 42 % of the log is read","journal: no room on the disk"]}`; w.Code != 503 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.meter.ready = nil
	w = f.do("GET", "/readyz?verbose=1", "")
	want := `{"status":"not ready","reasons":["journal: no room on the disk"],"checks":[{"name":"replay","status":"ok"},` +
		`{"name":"journal","status":"failed","reason":"no room on the disk"}],"notices":["the data directory lives in memory"]}`
	if w.Code != 503 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/healthz", "/livez", "/monitoring/health"} {
		if w := f.do("GET", path, ""); w.Code != 200 {
			t.Errorf("%s while not ready: %d", path, w.Code)
		}
	}
}

func TestMethods(t *testing.T) {
	const read, write = "GET, HEAD, OPTIONS", "OPTIONS, POST"
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"HEAD", "/monitoring/metrics", 200, ""},
		{"HEAD", "/healthz", 200, ""},
		{"POST", "/monitoring/metrics", 405, read},
		{"DELETE", "/monitoring/metrics", 405, read},
		{"GET", "/monitoring/chat/metrics", 405, write},
		{"HEAD", "/monitoring/chat/metrics", 405, write},
		{"PUT", "/monitoring/chat/metrics", 405, write},
		{"OPTIONS", "/monitoring/chat/metrics", 204, write},
		{"OPTIONS", "/monitoring/metrics", 204, read},
		{"POST", "/", 405, read},
		{"GET", "/nope", 404, ""},
		{"POST", "/monitoring", 404, ""},
	}
	for _, tt := range tests {
		w := newFixture(t).do(tt.method, tt.path, "")
		if w.Code != tt.status || w.Header().Get("Allow") != tt.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", tt.method, tt.path, w.Code, w.Header().Get("Allow"), tt.status, tt.allow)
		}
		if tt.status >= 400 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %s", tt.method, tt.path, w.Header().Get("Content-Type"))
		}
	}
	checkProblem(t, newFixture(t).do("GET", "/nope", ""), 404, "nothing is at /nope; GET / lists the addresses")
	checkProblem(t, newFixture(t).do("PUT", "/metrics", ""), 405, "method not allowed here; use GET, HEAD, OPTIONS")
}

func TestIndex(t *testing.T) {
	f := newFixture(t)
	var doc struct {
		Version   string `json:"version"`
		Time      string `json:"time"`
		Endpoints []struct{ Method, Path, About string }
	}
	if err := json.Unmarshal(f.do("GET", "/", "").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != "1.2.3" || doc.Time != "2026-01-05T12:00:00Z" || len(doc.Endpoints) != len(f.api.Routes()) {
		t.Errorf("%+v", doc)
	}
}

func TestHosts(t *testing.T) {
	loopback, all, some := Hosts{Loopback: true}, Hosts{}, Hosts{Allowed: []string{"Treq.example.com", "*.onrender.com"}}
	both := Hosts{Loopback: true, Allowed: []string{"treq.example.com"}}
	tests := []struct {
		hosts  Hosts
		host   string
		served bool
	}{
		{loopback, "localhost", true},
		{loopback, "localhost:8002", true},
		{loopback, "LOCALHOST.:8002", true},
		{loopback, "app.localhost:8002", true},
		{loopback, "127.0.0.1:8002", true},
		{loopback, "[::1]:8002", true},
		{loopback, "[fe80::1%25eth0]:8002", true},
		{loopback, "192.168.1.7", true},
		{loopback, "", true},
		{loopback, "evil.example:8002", false},
		{loopback, "localhost.evil.example", false},
		{loopback, "127.0.0.1.evil.example", false},
		{loopback, "notlocalhost", false},
		{loopback, "0x7f.1", false},
		{both, "treq.example.com", true},
		{both, "other.example.com", false},
		{all, "evil.example:8002", true},
		{some, "treq.example.com", true},
		{some, "TREQ.example.com:443", true},
		{some, "a.onrender.com", true},
		{some, "onrender.com", false},
		{some, "evil-onrender.com", false},
		{some, "10.0.0.1:8002", true},
		{some, "x", false},
		{Hosts{Loopback: true, Allowed: []string{"*"}}, "evil.example", true},
	}
	for _, tt := range tests {
		f := newFixture(t, func(o *Options) { o.Hosts = tt.hosts })
		w := f.do("GET", "/healthz", "", "Host: "+tt.host)
		if (w.Code == 200) != tt.served || !tt.served && w.Code != 421 {
			t.Errorf("%+v %q: %d", tt.hosts, tt.host, w.Code)
		}
	}
}

func TestOrigins(t *testing.T) {
	const mine, evil = "http://localhost:3000", "https://evil.example"
	tests := []struct {
		name, method, path, origin, site string
		wildcard                         bool
		status                           int
		allowed                          string
	}{
		{name: "no browser", method: "POST", path: "/monitoring/llm/metrics", status: 422},
		{name: "the same origin", method: "POST", path: "/monitoring/llm/metrics", origin: "http://localhost:8002", site: "same-origin", status: 422},
		{name: "a trusted origin reads", method: "GET", path: "/monitoring/metrics", origin: mine, site: "cross-site", status: 200, allowed: mine},
		{name: "a trusted origin writes", method: "POST", path: "/monitoring/llm/metrics", origin: mine, site: "cross-site", status: 422, allowed: mine},
		{name: "a stranger cannot read what it gets", method: "GET", path: "/monitoring/metrics", origin: evil, site: "cross-site", status: 200},
		{name: "a stranger cannot write", method: "POST", path: "/monitoring/llm/metrics", origin: evil, site: "cross-site", status: 403},
		{name: "an old browser's stranger cannot write", method: "POST", path: "/monitoring/llm/metrics", origin: evil, status: 403},
		{name: "a sandboxed page cannot write", method: "POST", path: "/monitoring/llm/metrics", origin: "null", site: "cross-site", status: 403},
		{name: "nor to a door", method: "POST", path: "/v1/traces", origin: evil, site: "cross-site", status: 403},
		{name: "a trusted origin reaches a door", method: "POST", path: "/v1/traces", origin: mine, site: "cross-site", status: 299, allowed: mine},
		{name: "everybody reads", method: "GET", path: "/monitoring/metrics", origin: evil, site: "cross-site", wildcard: true, status: 200, allowed: "*"},
		{name: "nobody more writes", method: "POST", path: "/monitoring/llm/metrics", origin: evil, site: "cross-site", wildcard: true, status: 403, allowed: "*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := originFixture(t, mine, tt.wildcard)
			w := f.do(tt.method, tt.path, "", "Origin: "+tt.origin, "Sec-Fetch-Site: "+tt.site)
			if w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != tt.allowed {
				t.Errorf("%d, allowed %q; want %d, %q: %s", w.Code, w.Header().Get("Access-Control-Allow-Origin"), tt.status, tt.allowed, w.Body)
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	f := originFixture(t, "http://localhost:3000", false)
	w := f.do("OPTIONS", "/v1/traces", "", "Origin: http://localhost:3000", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type,x-api-key")
	got := map[string]string{}
	for name := range w.Header() {
		got[name] = strings.Join(w.Header()[name], ", ")
	}
	want := map[string]string{
		"Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Headers":     "content-type,x-api-key",
		"Access-Control-Allow-Methods":     "GET, HEAD, POST",
		"Access-Control-Allow-Origin":      "http://localhost:3000",
		"Access-Control-Max-Age":           "600",
		"Vary":                             "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
		"X-Content-Type-Options":           "nosniff",
	}
	if diff := cmp.Diff(want, got); w.Code != 204 || diff != "" {
		t.Errorf("%d (-want +got):\n%s", w.Code, diff)
	}
	w = f.do("OPTIONS", "/v1/traces", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST")
	checkProblem(t, w, 403, `the origin "https://evil.example" is not in CORS_ORIGINS`)
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("a stranger was allowed")
	}
	w = originFixture(t, "", true).do("OPTIONS", "/monitoring/metrics", "", "Origin: https://a.example", "Access-Control-Request-Method: GET")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("everybody: %d %v", w.Code, w.Header())
	}
}

func TestOriginsThatAreNone(t *testing.T) {
	for _, origin := range []string{"localhost:3000", "http://", "http://a/b", "%"} {
		if _, err := New(Options{Origins: []string{origin}}); err == nil {
			t.Errorf("%q was taken", origin)
		}
		if _, err := CORS([]string{origin}, http.NotFoundHandler()); err == nil {
			t.Errorf("%q was taken by CORS", origin)
		}
	}
	if _, err := New(Options{Origins: []string{" http://localhost:3000/ ", ""}}); err != nil {
		t.Error(err)
	}
}

// originFixture has a door for OTLP that answers 299.
func originFixture(t *testing.T, origin string, wildcard bool) *fixture {
	return newFixture(t, func(o *Options) {
		o.Origins = []string{origin}
		if wildcard {
			o.Origins = append(o.Origins, "*")
		}
		o.IsOTLP = func(r *http.Request) bool { return r.URL.Path == "/v1/traces" }
		o.OTLP = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) })
	})
}

func TestTokensArePostsAndNotReads(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Authorize = func(h http.Header) (uint64, error) {
			if h.Get("Authorization") == "Bearer right" {
				return 1, nil
			}
			return 0, errToken
		}
	})
	for _, r := range f.api.Routes() {
		w := f.do(r.Method, r.Path, "", "Authorization: Bearer wrong")
		right := f.do(r.Method, r.Path, "", "Authorization: Bearer right")
		if r.Method == "POST" {
			checkProblem(t, w, 401, errToken.Message)
			if w.Header().Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		} else if w.Code != 200 {
			t.Errorf("%s: %d", r.Path, w.Code)
		}
		if right.Code == 401 {
			t.Errorf("%s with the right token: %d", r.Path, right.Code)
		}
	}
}
