package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// said is one run of a user that is all about a text, as OTLP/JSON.
func said(trace, user, text string) string {
	began := time.Now().Add(-time.Minute).UnixNano()
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"app"}}]},"scopeSpans":[{"spans":[
		{"traceId":%[1]q,"spanId":"%.16[1]s","name":"POST /chat","kind":2,"startTimeUnixNano":"%[2]d","endTimeUnixNano":"%[3]d",
			"status":{"code":2,"message":%[5]q},"attributes":[{"key":"user.id","value":{"stringValue":%[4]q}},{"key":"app.note","value":{"stringValue":%[5]q}}],
			"events":[{"name":"exception","timeUnixNano":"%[2]d","attributes":[{"key":"exception.stacktrace","value":{"stringValue":%[5]q}}]}]},
		{"traceId":%[1]q,"spanId":"1%.15[1]s","parentSpanId":"%.16[1]s","name":"chat glm-4.7","kind":3,"startTimeUnixNano":"%[2]d","endTimeUnixNano":"%[3]d","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.response.model","value":{"stringValue":"glm-4.7"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":"70"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"7"}},
			{"key":"gen_ai.input.messages","value":{"stringValue":%[5]q}},{"key":"gen_ai.output.messages","value":{"stringValue":%[5]q}}]}
	]}]}]}`, trace, began, began+int64(time.Second), user, text)
}

// native is the same as LangSmith's SDK posts it.
func native(id, user, text string) string {
	at := time.Now().UTC().Add(-time.Minute)
	return fmt.Sprintf(`{"id":%[1]q,"trace_id":%[1]q,"dotted_order":"%[2]sZ%[1]s","name":"ask","run_type":"llm","session_name":"app",
		"start_time":%[3]q,"end_time":%[4]q,"inputs":{"messages":[{"role":"user","content":%[5]q}]},"outputs":{"generations":[{"text":%[5]q}]},
		"error":%[5]q,"extra":{"metadata":{"user_id":%[6]q,"ls_model_name":"glm-4.7"}}}`,
		id, strings.ReplaceAll(at.Format("20060102T150405.000000"), ".", ""), at.Format(time.RFC3339Nano), at.Add(time.Second).Format(time.RFC3339Nano), text, user)
}

// ruled are the headers of who may do everything.
func ruled(more ...string) http.Header {
	header := http.Header{"Authorization": {"Bearer rules"}}
	for i := 0; i < len(more); i += 2 {
		header.Set(more[i], more[i+1])
	}
	return header
}

// requests gives what the lines of a dead-letter file hold.
func requests(t *testing.T, lines []byte) []byte {
	t.Helper()
	var all []byte
	for line := range bytes.Lines(lines) {
		var letter struct{ Payload []byte }
		if err := json.Unmarshal(line, &letter); err != nil {
			t.Error(err)
		}
		all = append(all, letter.Payload...)
	}
	return all
}

// counted takes the numbers of the documents that a chat is counted in.
func counted(s *e2etest.Server) string {
	var lines []string
	for line := range strings.Lines(string(s.Do(http.MethodGet, "/metrics", ruled(), nil).Body)) {
		if regexp.MustCompile(`^(treq_chat|treq_llm|gen_ai|treq_feedback|treq_retrieval)`).MatchString(line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestErase erases a user and a run, each with a kill -9 right behind the answer: what
// they said is in no answer and in no file any more, what was counted stays, and so does
// what others said.
func TestErase(t *testing.T) {
	t.Parallel()
	const secret, hers, others = "segredo-7c1f", "maria-7c1f", "pergunta-de-outro"
	first, second, third := strings.Repeat("a1", 16), strings.Repeat("b2", 16), strings.Repeat("c3", 16)
	const kept = "0191d0a8-7c3e-7000-8000-0242ac120002"
	dir := e2etest.DataDir(t)
	// Nothing is good enough for the sink: what was said lies in its dead letters as well.
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadRequest) }))
	t.Cleanup(refuses.Close)
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: quick + "tokens: {admin: [rules]}\nsinks: [{name: refuses, endpoint: '" + refuses.URL + "/v1/traces'}]\n"})
	send := func(path, body, coding string) {
		t.Helper()
		header, data := ruled("Content-Type", "application/json"), []byte(body)
		if coding != "" {
			var err error
			if data, err = e2etest.Compress(coding, 0, data); err != nil {
				t.Fatal(err)
			}
			header.Set("Content-Encoding", coding)
		}
		if a := s.Do(http.MethodPost, path, header, bytes.NewReader(data)); a.Status/100 != 2 {
			t.Fatalf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	// Compressed is how most exporters send.
	send("/v1/traces", said(first, hers, secret), "gzip")
	send("/v1/traces", said(second, "joao", others), "gzip")
	send("/v1/traces", said(third, "joao", secret), "zstd")
	send("/runs", native(kept, hers, secret), "")
	for _, id := range []string{first, kept, third} {
		send("/monitoring/feedback", fmt.Sprintf(`{"run_id":%q,"score":0,"comment":%q}`, id, secret), "")
	}
	run := func(id string) (string, bool) {
		a := s.Do(http.MethodGet, "/monitoring/runs/"+id+"?explain=1", ruled(), nil)
		return string(a.Body), a.Status == http.StatusOK
	}
	e2etest.Eventually(t, settled, func() error {
		if text, ok := run(kept); !ok || !strings.Contains(text, secret) {
			return fmt.Errorf("the native run: %s", text)
		}
		// Three questions and a native call, three judgements, and nothing that waits.
		m := string(s.Do(http.MethodGet, "/metrics", ruled(), nil).Body)
		for _, line := range []string{`treq_feedback_score_count\{.*\} 3`, `treq_pipeline_open 0`, `treq_pipeline_admitted_total 7`} {
			if !regexp.MustCompile("(?m)^" + line + "$").MatchString(m) {
				return fmt.Errorf("no line %s in\n%s", line, m)
			}
		}
		sinks := string(s.Do(http.MethodGet, "/monitoring/sinks", ruled(), nil).Body)
		if !strings.Contains(sinks, `"dead_lettered_spans":7`) {
			return fmt.Errorf("the sink: %s", sinks)
		}
		return nil
	})
	before := counted(s)
	erase := func(what ...string) string {
		t.Helper()
		binary, err := e2etest.Binary()
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command(binary, append([]string{"erase", "--url", s.URL("")}, what...)...)
		command.Env = append(os.Environ(), "TREQ_ADMIN_TOKEN=rules", "LANG=en_US.UTF-8")
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("erase %v: %v\n%s", what, err, out)
		}
		return string(out)
	}
	without := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			text, ok := run(id)
			if !ok || strings.Contains(text, secret) || strings.Contains(text, hers) {
				t.Errorf("run %s: %s", id, text)
			}
			var r struct {
				Tokens   *int `json:"tokens"`
				Feedback *float64
			}
			if err := json.Unmarshal([]byte(text), &r); err != nil || r.Feedback == nil || *r.Feedback != 0 {
				t.Errorf("run %s lost its numbers: %s", id, text)
			}
		}
		if text, ok := run(second); !ok || !strings.Contains(text, others) {
			t.Errorf("another's run: %s", text)
		}
	}

	if out := erase("--user", hers); !strings.Contains(out, "2 runs") || strings.Contains(out, " 0 dead letters") {
		t.Errorf("erase --user: %s", out)
	}
	s.Crash()
	without(first, kept)
	for _, question := range []string{"q=" + hers, "user=" + hers} {
		var list struct{ Total int }
		a := s.Do(http.MethodGet, "/monitoring/runs?"+question, ruled(), nil)
		if err := json.Unmarshal(a.Body, &list); err != nil || a.Status != http.StatusOK || list.Total != 0 {
			t.Errorf("?%s: %d %s", question, a.Status, a.Body)
		}
	}
	if text, _ := run(third); !strings.Contains(text, secret) {
		t.Errorf("a run of another user: %s", text)
	}

	erase("--run", third)
	s.Crash()
	without(first, kept, third)
	s.Terminate()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(path, ".dead") {
			b = requests(t, b)
			if !bytes.Contains(b, []byte(others)) {
				t.Errorf("%s lost what somebody else said", path)
			}
		}
		for _, text := range []string{secret, hers} {
			if bytes.Contains(b, []byte(text)) {
				t.Errorf("%s holds %q", path, text)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	s.Again()
	without(first, kept, third)
	if after := counted(s); after != before {
		t.Errorf("counted (-before the erasure +after):\n%s", cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n")))
	}
	for _, path := range []string{"/monitoring/runs", "/metrics", "/feedback?run=" + first, "/monitoring/alerts", "/monitoring/sinks"} {
		if a := s.Do(http.MethodGet, path, ruled("Accept", "application/openmetrics-text, application/json"), nil); strings.Contains(string(a.Body), secret) || strings.Contains(string(a.Body), hers) {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
}
