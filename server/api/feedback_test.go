package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/feedback"
	"treq/telemetry"
	"treq/telemetry/judgement"
)

const judgedRun = "0af76519-16cd-43dd-8448-eb211c80319c"

func feedbackFixture(t *testing.T, change ...func(*Options)) *fixture {
	t.Helper()
	return newFixture(t, append([]func(*Options){func(o *Options) {
		o.Feedback = feedback.New(feedback.Options{Log: o.Log, Meter: o.Meter, Now: o.Now})
		o.FeedbackTokens = feedback.NewTokens(bytes.Repeat([]byte{7}, 32), o.Now)
		o.FeedbackStats = func(_ context.Context, service, key string) (any, error) {
			return map[string]string{"service": service, "key": key}, nil
		}
		o.Instance = "me"
	}}, change...)...)
}

func TestJudgementsOfEveryCaller(t *testing.T) {
	const jsonType = "Content-Type: application/json"
	const tail = `"success":true,"message":"feedback recorded","repeated":false}`
	id := func(run, key string) string { return judgement.ID(run, key, "api") }
	for _, c := range []struct{ target, body, kind, want, kept string }{
		{
			"/feedback/", `{"message_id":"` + judgedRun + `","feedback_type":"positive","comment":"ótimo","timestamp":"2026-01-05T12:00:00Z"}`, jsonType,
			`{"id":"` + id(judgedRun, "user-score") + `","run_id":"` + judgedRun + `","key":"user-score","score":1,"comment":"ótimo",` + tail,
			"treq.feedback service.name=default treq.feedback.id=" + id(judgedRun, "user-score") + " treq.run.id=" + judgedRun +
				" treq.feedback.key=user-score treq.feedback.source=api treq.feedback.score=1 treq.feedback.comment=ótimo",
		},
		{
			"/api/v1/feedback", `{"id":"99999999-9999-4999-8999-999999999999","run_id":"` + judgedRun + `","key":"tone","score":0.5}`, jsonType,
			`{"id":"99999999-9999-4999-8999-999999999999","run_id":"` + judgedRun + `","key":"tone","score":0.5,"comment":"",` + tail,
			"treq.feedback service.name=default treq.feedback.id=99999999-9999-4999-8999-999999999999 treq.run.id=" + judgedRun +
				` treq.feedback.key=tone treq.feedback.source=api treq.feedback.score=0.5 treq.feedback.told={"score":0.5}`,
		},
		{
			"/monitoring/feedback?run_id=q7&thumb=down&service=app", "", "Accept: */*",
			`{"id":"` + id("q7", "user-score") + `","run_id":"q7","key":"user-score","score":0,"comment":"",` + tail,
			"treq.feedback service.name=app treq.feedback.id=" + id("q7", "user-score") + " treq.run.id=q7 treq.feedback.key=user-score treq.feedback.source=api treq.feedback.score=0",
		},
		{
			"/feedback", "message_id=q8&feedback_type=negative", "Content-Type: application/x-www-form-urlencoded",
			`{"id":"` + id("q8", "user-score") + `","run_id":"q8","key":"user-score","score":0,"comment":"",` + tail,
			"treq.feedback service.name=default treq.feedback.id=" + id("q8", "user-score") + " treq.run.id=q8 treq.feedback.key=user-score treq.feedback.source=api treq.feedback.score=0",
		},
	} {
		f := feedbackFixture(t)
		w := f.do("POST", c.target, c.body, c.kind)
		if w.Code != http.StatusOK || w.Body.String() != c.want {
			t.Errorf("%s: %d %s", c.target, w.Code, w.Body)
		}
		if diff := cmp.Diff([]string{c.kept}, f.log.last(t)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.target, diff)
		}
		// The same again is no other judgement, wherever it comes in.
		w = f.do("POST", c.target, c.body, c.kind)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"repeated":true`) || len(f.log.entries) != 1 {
			t.Errorf("%s again: %d %s, %d entries", c.target, w.Code, w.Body, len(f.log.entries))
		}
	}
}

func TestBadJudgementsAndWhatDoesNotCountYet(t *testing.T) {
	f := feedbackFixture(t)
	for _, c := range []struct {
		target, body string
		status       int
		want         string
	}{
		{"/feedback/", `{"feedback_type":"great"}`, 422, `{"detail":[{"type":"literal_error","loc":["body","feedback_type"],"msg":"Input should be 'positive' or 'negative'","input":"great","ctx":{"expected":"'positive' or 'negative'"}}]}`},
		{"/monitoring/feedback", `{"run_id":"r"}`, 422, `{"detail":[{"type":"missing","loc":["body","score"],"msg":"Field required","input":{"run_id":"r"}}]}`},
		{"/monitoring/feedback", ``, 422, `{"detail":[{"type":"missing","loc":["body","run_id"],"msg":"Field required","input":null},{"type":"missing","loc":["body","score"],"msg":"Field required","input":null}]}`},
		{"/feedback", `{"run_id"`, 422, ""},
		{"/feedback", "\xff{}", 400, ""},
		{"/feedback", `{"run_id":"` + strings.Repeat("x", maxPost) + `"}`, 413, ""},
	} {
		w := f.do("POST", c.target, c.body, "Content-Type: application/json")
		if w.Code != c.status || c.want != "" && w.Body.String() != c.want {
			t.Errorf("%s %.40s: %d %s", c.target, c.body, w.Code, w.Body)
		}
	}
	if len(f.log.entries) != 0 {
		t.Errorf("%d were kept", len(f.log.entries))
	}
	good := `{"run_id":"r","score":1}`
	checkProblem(t, f.do("POST", "/monitoring/feedback", good, "Content-Type: application/json", "Treq-Hop: other, me"), 400,
		"this judgement was sent by the same process and has come back: a sink points at one of its own doors")
	f.log.err = unavailable()
	if w := f.do("POST", "/monitoring/feedback", good, "Content-Type: application/json"); w.Code != 503 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.log.err, f.meter.ready = nil, errReplay
	if w := f.do("POST", "/monitoring/feedback", good, "Content-Type: application/json"); w.Code != 202 {
		t.Errorf("in a replay: %d %s", w.Code, w.Body)
	}
	checkProblem(t, f.do("DELETE", "/feedback", ""), 405, "method not allowed here; use GET, HEAD, OPTIONS, POST")
	if w := newFixture(t).do("POST", "/feedback/", good); w.Code != 404 {
		t.Errorf("where none are taken: %d", w.Code)
	}
}

func TestAFeedbackTokenOpensOneRunAndNothingElse(t *testing.T) {
	needed := func(o *Options) {
		o.Authorize = func(h http.Header) (uint64, error) {
			if h.Get("X-Api-Key") == "ingest" {
				return 1, nil
			}
			return 0, errToken
		}
		o.AuthorizeRead, o.Closed = o.Authorize, true
		o.Origins = []string{"https://chat.example"}
	}
	f := feedbackFixture(t, needed)
	const kind = "Content-Type: application/json"
	if w := f.do("POST", "/monitoring/feedback/tokens", `{"run_id":"r"}`, kind); w.Code != 401 {
		t.Errorf("a token for nobody: %d", w.Code)
	}
	w := f.do("POST", "/monitoring/feedback/tokens", `{"run_id":"`+judgedRun+`","expires_in_seconds":60}`, kind, "X-Api-Key: ingest")
	var made struct {
		Token     string    `json:"token"`
		RunID     string    `json:"run_id"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" ||
		!made.ExpiresAt.Equal(f.now.Add(time.Minute).Truncate(time.Second)) || made.RunID != judgedRun {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	bearer, header := "Authorization: Bearer "+made.Token, "X-Feedback-Token: "+made.Token
	up := `{"run_id":"` + judgedRun + `","score":1,"source":"model"}`
	for _, c := range []struct {
		target, body, token string
		status              int
	}{
		{"/monitoring/feedback", up, "Accept: */*", 401},
		{"/monitoring/feedback", up, bearer, 200},
		{"/feedback/", `{"message_id":"` + judgedRun + `","feedback_type":"negative"}`, header, 200},
		{"/feedback/", `{"feedback_type":"positive"}`, header, 200},
		{"/monitoring/feedback", `{"run_id":"another","score":1}`, bearer, 403},
		{"/feedback", `{"run_id":"` + judgedRun + `","key":"k","feedback_config":{"min":0,"max":9},"score":9}`, header, 200},
		{"/monitoring/feedback", up, header + "x", 401},
		{"/monitoring/feedback?token=" + made.Token, up, "Accept: */*", 401},
		{"/monitoring/feedback/tokens", `{"run_id":"r"}`, bearer, 401},
		{"/monitoring/chat/metrics?success=true&response_time_ms=1", "", bearer, 401},
	} {
		if w := f.do("POST", c.target, c.body, kind, c.token); w.Code != c.status {
			t.Errorf("%s %s: %d %s, not %d", c.target, c.body, w.Code, w.Body, c.status)
		}
	}
	for _, line := range f.log.last(t) {
		if !strings.Contains(line, "treq.feedback.source=browser") || strings.Contains(line, "treq.feedback.told") {
			t.Errorf("a page speaks in the name of others: %s", line)
		}
	}
	for _, target := range []string{"/monitoring/metrics", "/feedback/stats"} {
		if w := f.do("GET", target, "", bearer); w.Code != 401 {
			t.Errorf("the token reads %s: %d", target, w.Code)
		}
	}
	f.now = f.now.Add(time.Hour)
	if w := f.do("POST", "/monitoring/feedback", up, kind, bearer); w.Code != 401 {
		t.Errorf("after its end: %d", w.Code)
	}
	f.now = f.now.Add(-time.Hour)
	if w := f.do("POST", "/feedback/", `{"feedback_type":"negative"}`, kind, header, "Origin: https://chat.example", "Sec-Fetch-Site: cross-site"); w.Code != 200 ||
		w.Header().Get("Access-Control-Allow-Origin") != "https://chat.example" {
		t.Errorf("a page that is named: %d %v", w.Code, w.Header())
	}
	if w := f.do("POST", "/feedback/", `{"feedback_type":"positive"}`, kind, header, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"); w.Code != 403 {
		t.Errorf("a stranger's page: %d", w.Code)
	}
	if w := f.do("OPTIONS", "/feedback/", "", "Origin: https://chat.example", "Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: content-type, x-feedback-token"); w.Code != 204 || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "x-feedback-token") {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

func TestFeedbackTokensAreChecked(t *testing.T) {
	f := feedbackFixture(t)
	for body, want := range map[string]int{
		`{}`: 422, `{"run_id":""}`: 422, `{"run_id":"` + strings.Repeat("x", 257) + `"}`: 422,
		`{"run_id":"r","expires_in_seconds":0}`: 422, `{"run_id":"r","expires_in_seconds":604801}`: 422,
		`{"run_id":"r","expires_in_seconds":604800}`: 200, `{"run_id":"r"}`: 200,
	} {
		if w := f.do("POST", "/monitoring/feedback/tokens", body, "Content-Type: application/json"); w.Code != want {
			t.Errorf("%.60s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestFeedbackStats(t *testing.T) {
	f := feedbackFixture(t)
	for target, want := range map[string]string{
		"/feedback/stats":                                 `{"key":"user-score","service":""}`,
		"/api/v1/feedback/stats":                          `{"key":"user-score","service":""}`,
		"/monitoring/feedback/stats?service=app&key=tone": `{"key":"tone","service":"app"}`,
		"/monitoring/feedback/stats?key=":                 `{"key":"","service":""}`,
	} {
		if w := f.do("GET", target, ""); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	f.meter.ready = &telemetry.Error{Kind: telemetry.Unavailable, Message: "replay"}
	if w := f.do("GET", "/feedback/stats", ""); w.Code != 503 {
		t.Errorf("in a replay: %d", w.Code)
	}
}
