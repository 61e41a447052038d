package api

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"treq/telemetry"
)

// fakeRuns answers with what it was asked for.
type fakeRuns struct{}

func (fakeRuns) List(_ context.Context, q RunsQuery) (any, error) {
	if q.Text != "" {
		return q, nil
	}
	return map[string]int{"limit": q.Limit}, nil
}

func (fakeRuns) Erase(_ context.Context, id string) (any, error) {
	if id == "none" {
		return nil, telemetry.Errorf(telemetry.NotFound, "no run %q since yesterday", id)
	}
	return map[string]string{"erased": id}, nil
}

func (fakeRuns) EraseUser(_ context.Context, user string) (any, error) {
	return map[string]string{"user": user}, nil
}

func (fakeRuns) Run(_ context.Context, id string, explain bool) (any, error) {
	switch id {
	case "none":
		return nil, telemetry.Errorf(telemetry.NotFound, "no run %q since yesterday", id)
	case "broken":
		return nil, errors.New("the disk's own words")
	}
	return struct {
		ID      string `json:"id"`
		Explain bool   `json:"explain"`
		Input   string `json:"input"`
	}{id, explain, "<script>alert(1)</script>"}, nil
}

func runsFixture(t *testing.T, change func(*Options)) *fixture {
	return newFixture(t, func(o *Options) {
		o.Runs = fakeRuns{}
		o.Hosts = Hosts{Loopback: true}
		if change != nil {
			change(o)
		}
	})
}

func TestRuns(t *testing.T) {
	f := runsFixture(t, nil)
	const script = `"input":"<script>alert(1)</script>"}`
	for _, tt := range []struct{ target, want string }{
		{"/monitoring/runs", `{"limit":0}`},
		{"/monitoring/runs?limit=200", `{"limit":200}`},
		{
			"/monitoring/runs?q=a+b&service=s&model=m&user=u&conversation=c&outcome=failure&feedback=positive&similarity_below=0.5&sort=cost&cursor=x_y&from=2026-01-31T12:00:00Z&to=",
			`{"Limit":0,"Text":"a b","Service":"s","Model":"m","User":"u","Conversation":"c","Outcome":"failure","Feedback":"positive",` +
				`"SimilarityBelow":0.5,"From":"2026-01-31T12:00:00Z","To":"0001-01-01T00:00:00Z","Sort":"cost","Cursor":"x_y"}`,
		},
		{"/monitoring/runs/abc", `{"id":"abc","explain":false,` + script},
		{"/monitoring/runs/a%2Fb%20c?explain=1", `{"id":"a/b c","explain":true,` + script},
		{"/monitoring/runs/abc?explain=no", `{"id":"abc","explain":false,` + script},
	} {
		w := f.do("GET", tt.target, "", "Accept: text/html")
		if w.Code != http.StatusOK || w.Body.String() != tt.want {
			t.Errorf("%s: %d %s", tt.target, w.Code, w.Body)
		}
		// Content is text, whatever it looks like and whoever asks for it.
		for name, want := range map[string]string{
			"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s: %s; want %s", tt.target, name, got, want)
			}
		}
	}
	for _, text := range []string{"0", "-1", "201", "x", ""} {
		checkProblem(t, f.do("GET", "/monitoring/runs?limit="+text, ""), 422, `limit is a whole number from 1 to 200, not "`+text+`"`)
	}
	checkProblem(t, f.do("GET", "/monitoring/runs?from=noon", ""), 422, `from is a time such as 2026-01-31T12:00:00Z, not "noon"`)
	checkProblem(t, f.do("GET", "/monitoring/runs?similarity_below=2", ""), 422, `similarity_below is a number from 0 to 1, not "2"`)
	checkProblem(t, f.do("GET", "/monitoring/runs/abc?explain=perhaps", ""), 422, `explain is 1 or 0, not "perhaps"`)
	checkProblem(t, f.do("GET", "/monitoring/runs/none", ""), 404, `no run "none" since yesterday`)
	checkProblem(t, f.do("GET", "/monitoring/runs/broken", ""), 500, "internal error")
	checkProblem(t, f.do("PUT", "/monitoring/runs/abc", ""), 405, "method not allowed here; use DELETE, GET, HEAD, OPTIONS")
	if w := newFixture(t).do("GET", "/monitoring/runs", ""); w.Code != http.StatusNotFound {
		t.Errorf("where none are shown: %d", w.Code)
	}
}

func TestErasingRuns(t *testing.T) {
	const needs = "this needs a token, and none is set that opens it; set one with --admin-token"
	checkProblem(t, runsFixture(t, nil).do("DELETE", "/monitoring/runs/abc", ""), 403, needs)
	f := runsFixture(t, func(o *Options) {
		o.AuthorizeAdmin = func(h http.Header) (uint64, error) {
			if h.Get("Authorization") == "Bearer right" {
				return 1, nil
			}
			return 0, errToken
		}
	})
	const right = "Authorization: Bearer right"
	for _, target := range []string{"/monitoring/runs/abc", "/monitoring/runs?user=maria"} {
		if w := f.do("DELETE", target, "", "Authorization: Bearer wrong"); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for target, want := range map[string]string{
		"/monitoring/runs/abc": `{"erased":"abc"}`, "/monitoring/runs?user=maria": `{"user":"maria"}`,
	} {
		if w := f.do("DELETE", target, "", right); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	checkProblem(t, f.do("DELETE", "/monitoring/runs/none", "", right), 404, `no run "none" since yesterday`)
	checkProblem(t, f.do("DELETE", "/monitoring/runs", "", right), 422, "name whose runs are to be erased: ?user=ID")
}

func TestWhoMaySeeRuns(t *testing.T) {
	token := func(o *Options) {
		o.AuthorizeRead = func(h http.Header) (uint64, error) {
			if h.Get("Authorization") == "Bearer right" {
				return 1, nil
			}
			return 0, errToken
		}
	}
	exposed := func(o *Options) { o.Hosts = Hosts{} }
	both := func(o *Options) { token(o); exposed(o) }
	origins := func(list ...string) func(*Options) { return func(o *Options) { o.Origins = list } }
	const right = "Authorization: Bearer right"
	tests := []struct {
		name    string
		change  func(*Options)
		headers []string
		want    int
	}{
		{"on this machine", nil, nil, 200},
		{"beyond, without a token", exposed, nil, 403},
		{"beyond, without a token, showing one", exposed, []string{right}, 403},
		{"a token is set", token, nil, 401},
		{"the wrong token", token, []string{"Authorization: Bearer wrong"}, 401},
		{"the right token", token, []string{right}, 200},
		{"beyond, no token shown", both, nil, 401},
		{"beyond, the right token", both, []string{right}, 200},
		{"a page of any origin", origins("*"), []string{"Origin: https://elsewhere.example"}, 403},
		{"a page of no origin", origins("*"), []string{"Origin: null"}, 403},
		{"a page of a named origin", origins("http://localhost:3000"), []string{"Origin: http://localhost:3000"}, 200},
		{"a name of another host", nil, []string{"Host: elsewhere.example"}, 421},
	}
	for _, tt := range tests {
		f := runsFixture(t, tt.change)
		for _, target := range []string{"/monitoring/runs", "/monitoring/runs/abc", "/monitoring/runs/none"} {
			w := f.do("GET", target, "", tt.headers...)
			want := tt.want
			if want == 200 && target == "/monitoring/runs/none" {
				want = 404
			}
			if w.Code != want {
				t.Errorf("%s: %s: %d %s", tt.name, target, w.Code, w.Body)
			}
		}
	}
	checkProblem(t, runsFixture(t, exposed).do("GET", "/monitoring/runs", ""), 403,
		"runs hold what users asked and were answered: beyond loopback they are shown with a token only; set one with --api-token")
	// Numbers stay open.
	if w := runsFixture(t, both).do("GET", "/monitoring/stats/summary", ""); w.Code != 200 {
		t.Errorf("the summary: %d", w.Code)
	}
}
