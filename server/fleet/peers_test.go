package fleet

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
)

func peer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func peersOf(t *testing.T, timeout time.Duration, urls ...string) *Peers {
	t.Helper()
	p := NewPeers(PeersOptions{URLs: urls, Token: telemetry.NewSecret("key"), Timeout: timeout})
	t.Cleanup(p.Close)
	return p
}

// TestTheOwnerAnswers asks as a reader does, marked so that it goes no further, and
// does not wait for who is slow once somebody has it.
func TestTheOwnerAnswers(t *testing.T) {
	owner := peer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(HeaderAsked) == "" || r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.EscapedPath() != "/monitoring/runs/a%2Fb" || r.URL.RawQuery != "explain=1" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"run_id":"x"}`))
	})
	slow := peer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p := peersOf(t, time.Hour, peer(t, status(404, "")), slow, "http://127.0.0.1:1", owner+"/")
	got, err := p.Run(t.Context(), "a/b", true)
	if err != nil || string(got) != `{"run_id":"x"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestNobodyHasIt says so, and who did not say.
func TestNobodyHasIt(t *testing.T) {
	elsewhere := peer(t, status(200, `{"run_id":"stolen"}`))
	for name, c := range map[string]struct {
		urls []string
		want string
	}{
		"none":      {[]string{peer(t, status(404, ""))}, "none of 1 replicas"},
		"away":      {[]string{peer(t, status(404, "")), "http://127.0.0.1:1"}, "1 of 2 do not answer"},
		"refuses":   {[]string{peer(t, status(401, ""))}, "1 of 1 do not answer"},
		"redirects": {[]string{peer(t, http.RedirectHandler(elsewhere, http.StatusFound).ServeHTTP)}, "1 of 1 do not answer"},
		"gibberish": {[]string{peer(t, status(200, "<html>"))}, "1 of 1 do not answer"},
		"hangs":     {[]string{peer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })}, "1 of 1 do not answer"},
	} {
		timeout := time.Hour
		if name == "hangs" {
			timeout = time.Millisecond
		}
		_, err := peersOf(t, timeout, c.urls...).Run(t.Context(), "x", false)
		if telemetry.KindOf(err) != telemetry.NotFound || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
