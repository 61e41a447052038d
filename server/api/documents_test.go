package api

import (
	"testing"
	"time"

	"treq/telemetry"
)

func TestNegotiation(t *testing.T) {
	const (
		json       = "application/json"
		exposition = "" // the handlers of the fixture set none
	)
	tests := []struct {
		name, accept string
		scraped      bool
	}{
		{"none", "", false},
		{"curl", "*/*", false},
		{"httpx and fetch", "*/*", false},
		{"axios", "application/json, text/plain, */*", false},
		{"JSON", "application/json", false},
		{"Firefox", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
		{"a bare text/plain", "text/plain", false},
		{"another version of text", "text/plain;version=0.0.2", false},
		{"text of Prometheus", "text/plain;version=0.0.4", true},
		{"with spaces and charset", "text/plain; version=0.0.4; charset=utf-8", true},
		{"text 1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8", true},
		{"OpenMetrics", "application/openmetrics-text", true},
		{"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", true},
		{"another protobuf", "application/vnd.google.protobuf;proto=x", false},
		{"Prometheus 2.42", "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true},
		{"Prometheus 3", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true},
		{"refused", "application/openmetrics-text;q=0", false},
		{"JSON preferred", "application/json, text/plain;version=0.0.4;q=0.5", false},
		{"JSON less preferred", "application/json;q=0.1, text/plain;version=0.0.4;q=0.5", true},
		{"not a weight", "text/plain;version=0.0.4;q=x", false},
		{"not a list", ";;;,text/", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for path, scraped := range map[string]string{"/monitoring/metrics": "exposition", "/monitoring/stats/summary": "gauges"} {
				w := newFixture(t).do("GET", path, "", "Accept: "+tt.accept)
				if w.Code != 200 || (w.Body.String() == scraped) != tt.scraped || w.Header().Get("Vary") != "Accept" {
					t.Errorf("%s: %d, Vary %q: %s", path, w.Code, w.Header().Get("Vary"), w.Body)
				}
				want := exposition
				if !tt.scraped {
					want = json
				}
				if got := w.Header().Get("Content-Type"); !tt.scraped && got != want {
					t.Errorf("%s: Content-Type %q", path, got)
				}
			}
		})
	}
}

func TestDocumentOfAService(t *testing.T) {
	f := newFixture(t)
	for made, target := range []string{"/monitoring/metrics?service=a", "/monitoring/metrics?service=b&service=a"} {
		want := `{"document":"metrics","service":"a","made":` + string(rune('1'+made)) + `}`
		if got := f.do("GET", target, "").Body.String(); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

func TestWindowsNeedHistory(t *testing.T) {
	for _, path := range []string{"/monitoring/metrics", "/monitoring/stats/summary"} {
		w := newFixture(t).do("GET", path+"?window=5m", "")
		want := `{"detail":[{"type":"not_available","loc":["query","window"],"msg":"Windows need the history, which is off; leave window out to get the totals","input":"5m"}]}`
		if w.Code != 422 || w.Body.String() != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestETag(t *testing.T) {
	f := newFixture(t)
	tag := f.do("GET", "/monitoring/metrics", "").Header().Get("Etag")
	tests := []struct {
		name, header string
		status       int
	}{
		{"the same", tag, 304},
		{"weak", "W/" + tag, 304},
		{"in a list", `"x", ` + tag, 304},
		{"any", "*", 304},
		{"another", `"x"`, 200},
		{"none", "", 200},
	}
	for _, tt := range tests {
		w := f.do("GET", "/monitoring/metrics", "", "If-None-Match: "+tt.header)
		if w.Code != tt.status || (w.Body.Len() == 0) != (tt.status == 304) || w.Header().Get("Etag") != tag {
			t.Errorf("%s: %d %q %s", tt.name, w.Code, w.Header().Get("Etag"), w.Body)
		}
	}
	f.now = f.now.Add(time.Second)
	if w := f.do("GET", "/monitoring/metrics", "", "If-None-Match: "+tag); w.Code != 200 {
		t.Errorf("a document that changed: %d", w.Code)
	}
}

func TestDocumentsDuringReplay(t *testing.T) {
	f := newFixture(t)
	f.meter.ready = errReplay
	for _, path := range []string{"/monitoring/metrics", "/monitoring/stats/summary", "/metrics", "/monitoring/chats/entries"} {
		w := f.do("GET", path, "", "Accept: application/openmetrics-text")
		checkProblem(t, w, 503, "not ready: 42 % of the log is read")
		if w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: Retry-After %q", path, w.Header().Get("Retry-After"))
		}
	}
	f.meter.ready = &telemetry.Error{Kind: telemetry.Unavailable, Message: "half of the log is read", RetryAfter: 7 * time.Second}
	w := f.do("GET", "/monitoring/metrics", "")
	checkProblem(t, w, 503, "half of the log is read")
	if w.Header().Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
}

func TestDocumentThatCannotBeMade(t *testing.T) {
	f := newFixture(t)
	f.docs.err = errReplay
	checkProblem(t, f.do("GET", "/monitoring/metrics", ""), 500, "internal error")
	f.docs.err = nil
	if w := f.do("GET", "/monitoring/metrics", ""); w.Code != 200 {
		t.Errorf("after it: %d", w.Code)
	}
}

func BenchmarkDocument(b *testing.B) {
	f := newFixture(b)
	b.ReportAllocs()
	for b.Loop() {
		f.do("GET", "/monitoring/metrics", "")
	}
}
