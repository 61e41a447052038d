package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"treq/server/config"
	"treq/telemetry"
	"treq/telemetry/export"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// question sends one trace, a chat with one model call, over OTLP/HTTP.
func (p *process) question(trace byte) {
	p.t.Helper()
	id := [16]byte{trace, 15: 1}
	body := otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, "assistant")},
		Scopes: []otlp.ScopeData{{Spans: []otlp.SpanData{
			{TraceID: id, SpanID: [8]byte{trace, 1}, Name: "POST /chat", Kind: otlp.KindServer, Start: 1e18, End: 1e18 + 2e9},
			{
				TraceID: id, SpanID: [8]byte{trace, 2}, ParentID: [8]byte{trace, 1}, Name: "chat", Start: 1e18, End: 1e18 + 1e9,
				Attributes: []otlp.KV{
					otlp.Str(semconv.GenAIOperationName, "chat"), otlp.Str(semconv.GenAIRequestModel, "llama-3.1-8b-instant"), otlp.Str(semconv.GenAIProviderName, "groq"),
					otlp.I64(semconv.GenAIInputTokens, 30), otlp.I64(semconv.GenAIOutputTokens, 12),
					otlp.Str(semconv.GenAIPrompt, "<b>why?</b>"),
				},
			},
		}}},
	})
	one, _, _ := p.Addr()
	res, err := p.client.Post("http://"+one+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("traces: %d %s %v", res.StatusCode, text, err)
	}
}

func TestARunIsShownOnceItIsAcknowledged(t *testing.T) {
	c := settings(t)
	c.Sinks = []export.Config{{Name: "langsmith", Profile: "langsmith", Endpoint: "http://127.0.0.1:9", Project: "treq"}}
	p := begin(t, c)
	for n := range byte(20) {
		p.question(n + 1)
		code, body := p.do("GET", fmt.Sprintf("/monitoring/runs/%02x%030x", n+1, 1))
		var run struct {
			RunID string `json:"run_id"`
			Spans int    `json:"spans"`
			URL   string `json:"langsmith_url"`
		}
		if err := json.Unmarshal([]byte(body), &run); err != nil || code != http.StatusOK || run.Spans != 2 {
			t.Fatalf("run %d: %d %s %v", n+1, code, body, err)
		}
		// The meter counts a question 6 s later; what it will count is known now.
		_, explained := p.do("GET", "/monitoring/runs/"+run.RunID+"?explain=1")
		if !strings.Contains(explained, `"counted":{"chats":1,"llm_calls":1,"llm_tokens":42,`) || !strings.Contains(explained, `"cost_source":"price_book"`) {
			t.Errorf("run %d explained: %s", n+1, explained)
		}
		if !strings.Contains(body, `"text":"<b>why?</b>"`) || run.URL != "http://127.0.0.1:9/o/default/projects/p/treq/r/"+run.RunID {
			t.Errorf("run %d: %s", n+1, body)
		}
	}
	if code, body := p.do("GET", "/monitoring/runs?limit=1"); code != http.StatusOK || !strings.Contains(body, `"name":"POST /chat"`) {
		t.Errorf("list: %d %s", code, body)
	}
}

// A native run is shown once it is acknowledged, as one that goes on and as one that has
// ended, and so is its beginning after a start.
func TestANativeRunIsShownOnceItIsAcknowledged(t *testing.T) {
	c := settings(t)
	p := begin(t, c)
	run := func(n int) string { return fmt.Sprintf("0190a000-0000-7000-8000-%012d", n) }
	state := func(n int) string {
		code, body := p.do("GET", "/monitoring/runs/"+run(n))
		var got struct {
			State string `json:"state"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK {
			return fmt.Sprint(code, body)
		}
		return got.State
	}
	const runs = 20
	for n := range runs {
		begun := fmt.Sprintf(`{"id": %q, "trace_id": %[1]q, "dotted_order": "20261123T000000000000Z%[2]s", "name": "asked", "run_type": "chain", "inputs": {}, "start_time": "2026-11-23T00:00:00Z"}`, run(n), run(n))
		if code, body := p.post("/runs", begun); code != http.StatusAccepted {
			t.Fatalf("%d %s", code, body)
		}
		if got := state(n); got != "running" {
			t.Errorf("run %d has begun: %s", n, got)
		}
	}
	p.end()
	p = begin(t, c)
	for n := range runs {
		if got := state(n); got != "running" {
			t.Errorf("run %d after a start: %s", n, got)
		}
		ended := fmt.Sprintf(`{"trace_id": %q, "dotted_order": "20261123T000000000000Z%[1]s", "outputs": {}, "end_time": "2026-11-23T00:00:01Z"}`, run(n))
		if code, body := p.send("PATCH", "/runs/"+run(n), ended); code != http.StatusAccepted {
			t.Fatalf("%d %s", code, body)
		}
		if got := state(n); got != "" {
			t.Errorf("run %d has ended: %s", n, got)
		}
	}
}

func TestRunsOutliveTheProcess(t *testing.T) {
	c := settings(t)
	p := begin(t, c)
	p.question(1)
	p.end()
	// Whether the index is made again already or not.
	if code, body := begin(t, c).do("GET", fmt.Sprintf("/monitoring/runs/01%030x", 1)); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
}

func TestRunsNeedATokenBeyondLoopback(t *testing.T) {
	c := settings(t)
	c.Listen = config.Address{HostPort: "0.0.0.0:0", Explicit: true}
	p := begin(t, c)
	if code, body := p.do("GET", "/monitoring/runs"); code != http.StatusForbidden || !strings.Contains(body, "--api-token") {
		t.Errorf("without a token: %d %s", code, body)
	}
	c = settings(t)
	c.Tokens.API = []telemetry.Secret{telemetry.NewSecret(""), telemetry.NewSecret("canary-read")}
	c.Tokens.Ingest = []telemetry.Secret{telemetry.NewSecret("canary-write")}
	p = begin(t, c)
	one, _, _ := p.Addr()
	for header, want := range map[string]int{"": 401, "Bearer canary-write": 403, "Bearer ": 401, "Bearer canary-read": 200} {
		req, err := http.NewRequest("GET", "http://"+one+"/monitoring/runs", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		res, err := p.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%q: %d; want %d", header, res.StatusCode, want)
		}
	}
	if strings.Contains(p.logs.String(), "canary") {
		t.Errorf("a token is in the log: %s", p.logs)
	}
}
