package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
)

// fakeHistory tells what it was asked.
type fakeHistory struct{}

func (fakeHistory) Charts() any { return []string{"requests"} }

func (fakeHistory) Chart(_ context.Context, q ChartQuery) (any, error) {
	if q.Metric == "speed" {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "metric is one of requests")
	}
	return fmt.Sprintf("%s %v %v %v %s %s %v", q.Metric, q.Range, q.Step, q.End.Unix(), q.Service, q.Model, q.By), nil
}

func withHistory(o *Options) {
	o.History = fakeHistory{}
	o.PromQL = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("asked " + r.URL.Path)) })
	o.Window = func(_ context.Context, window time.Duration) (time.Time, error) {
		switch {
		case window > 15*24*time.Hour:
			return time.Time{}, telemetry.Errorf(telemetry.Unprocessable, "Input should be at most 15d")
		case window > time.Hour:
			return time.Time{}, nil
		}
		return time.Date(2026, 1, 5, 11, 55, 0, 0, time.UTC), nil
	}
}

func TestHistory(t *testing.T) {
	f := newFixture(t, withHistory)
	for path, want := range map[string]string{
		"/monitoring/history":                 `200 {"metrics":["requests"]}`,
		"/monitoring/history?metric=requests": `200 "requests 1h0m0s 0s -62135596800   []"`,
		"/monitoring/history?metric=tokens&range=7d&step=1h&end=2026-01-05T12:00:00Z&service=a&model=m&by=service,model": `200 "tokens 168h0m0s 1h0m0s 1767614400 a m [service model]"`,
		"/monitoring/history?metric=requests&range=x":                                                                    `422 {"title":"Unprocessable Entity","status":422,"detail":"range is a duration of at least 1s, such as 90s, 5m, 24h or 7d, not \"x\""}`,
		"/monitoring/history?metric=requests&step=-1m":                                                                   `422 {"title":"Unprocessable Entity","status":422,"detail":"step is a duration of at least 1s, such as 90s, 5m, 24h or 7d, not \"-1m\""}`,
		"/monitoring/history?metric=requests&end=monday":                                                                 `422 {"title":"Unprocessable Entity","status":422,"detail":"end is a time such as 2026-01-05T12:00:00Z, not \"monday\""}`,
		"/monitoring/history?metric=speed":                                                                               `422 {"title":"Unprocessable Entity","status":422,"detail":"metric is one of requests"}`,
		"/prometheus/api/v1/query?query=up":                                                                              `200 asked /prometheus/api/v1/query`,
		"/prometheus/api/v1/label/__name__/values":                                                                       `200 asked /prometheus/api/v1/label/__name__/values`,
	} {
		w := f.do("GET", path, "")
		if got := fmt.Sprint(w.Code, " ", w.Body); got != want {
			t.Errorf("%s:\n got %s\nwant %s", path, got, want)
		}
	}
	if w := f.do("POST", "/prometheus/api/v1/query", "query=up", "Content-Type: application/x-www-form-urlencoded"); w.Code != http.StatusOK {
		t.Errorf("a post: %d", w.Code)
	}
	if w := f.do("GET", "/monitoring/history", "", "Accept: */*"); w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("type %q", w.Header().Get("Content-Type"))
	}
	// Without a history there are no such addresses.
	for _, path := range []string{"/monitoring/history", "/prometheus/api/v1/query"} {
		if w := newFixture(t).do("GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s without a history: %d", path, w.Code)
		}
	}
	replaying := newFixture(t, withHistory, func(o *Options) { o.Meter = &fakeMeter{ready: errReplay} })
	if w := replaying.do("GET", "/monitoring/history", ""); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("in a replay: %d", w.Code)
	}
}

// Questions are numbers: open, unless numbers need a token, and then with the one
// that reads, also as a POST.
func TestHistoryAsksForTheReader(t *testing.T) {
	reads := func(o *Options) {
		o.Closed = true
		o.Authorize = func(http.Header) (uint64, error) { return 0, errToken }
		o.AuthorizeRead = func(h http.Header) (uint64, error) {
			if h.Get("X-Api-Key") == "reader" {
				return 1, nil
			}
			return 0, errToken
		}
	}
	f := newFixture(t, withHistory, reads)
	for _, ask := range []string{"GET /prometheus/api/v1/query", "POST /prometheus/api/v1/query", "GET /monitoring/history"} {
		method, path, _ := strings.Cut(ask, " ")
		if w := f.do(method, path, ""); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", ask, w.Code)
		}
		if w := f.do(method, path, "", "X-Api-Key: reader"); w.Code != http.StatusOK {
			t.Errorf("%s with the reader's token: %d", ask, w.Code)
		}
	}
}

func TestWindows(t *testing.T) {
	f := newFixture(t, withHistory)
	for _, path := range []string{"/monitoring/metrics", "/monitoring/stats/summary", "/monitoring/models"} {
		for query, want := range map[string]string{
			"window=5m":             `"from":"2026-01-05T11:55:00Z"`,
			"window=5m&service=app": `"service":"app","from":"2026-01-05T11:55:00Z"`,
			"window=2h":             `"service":"","made"`,
		} {
			w := f.do("GET", path+"?"+query, "")
			from := w.Header().Get(headerFrom)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || (from != "") != strings.Contains(want, "from") {
				t.Errorf("%s?%s: %d %s (%s), want %s", path, query, w.Code, w.Body, from, want)
			}
		}
		for window, want := range map[string]string{
			"x":   `{"detail":[{"type":"duration_parsing","loc":["query","window"],"msg":"Input should be a duration of at least 1s, such as 90s, 5m, 24h or 7d","input":"x"}]}`,
			"0s":  `{"detail":[{"type":"duration_parsing","loc":["query","window"],"msg":"Input should be a duration of at least 1s, such as 90s, 5m, 24h or 7d","input":"0s"}]}`,
			"30d": `{"detail":[{"type":"less_than_equal","loc":["query","window"],"msg":"Input should be at most 15d","input":"30d"}]}`,
		} {
			if w := f.do("GET", path+"?window="+window, ""); w.Code != http.StatusUnprocessableEntity || w.Body.String() != want {
				t.Errorf("%s?window=%s: %d %s", path, window, w.Code, w.Body)
			}
		}
	}
}
