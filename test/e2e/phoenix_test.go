package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// startPhoenix runs Phoenix's own server, as scripts/install-langsmith installs it, on a
// database of its own, and gives its address. It reaches nothing outside.
func startPhoenix(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs(filepath.Join("..", "..", ".cache", "phoenix", "bin", "phoenix"))
	if err != nil {
		t.Fatal(err)
	}
	address, err := e2etest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	grpc, err := e2etest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	_, grpcPort, _ := net.SplitHostPort(grpc)
	home := t.TempDir()
	cmd := exec.Command(program, "serve")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PYTHONDONTWRITEBYTECODE=1", "PHOENIX_WORKING_DIR=" + home, "PHOENIX_HOST=127.0.0.1",
		"PHOENIX_PORT=" + port, "PHOENIX_GRPC_PORT=" + grpcPort, "PHOENIX_TELEMETRY_ENABLED=false",
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost",
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log tailBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (make e2e-tools installs what it needs)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	e2etest.Eventually(t, 8*time.Minute, func() error {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("Phoenix ended: %v\n%s", err, log)
		default:
		}
		res, err := http.Get("http://" + address + "/healthz")
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", res.StatusCode)
		}
		return nil
	})
	return "http://" + address
}

// phoenixSpan is a span as Phoenix's API gives it.
type phoenixSpan struct {
	Name     string `json:"name"`
	Kind     string `json:"span_kind"`
	Status   string `json:"status_code"`
	ParentID string `json:"parent_id"`
	Context  struct {
		TraceID string `json:"trace_id"`
		SpanID  string `json:"span_id"`
	} `json:"context"`
	Attributes map[string]any `json:"attributes"`
}

// askPhoenix reads one list of Phoenix's API.
func askPhoenix(base, path string, into any) error {
	res, err := http.Get(base + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %s", path, res.StatusCode, body)
	}
	return json.Unmarshal(body, &struct{ Data any }{into})
}

// TestPhoenix forwards to a real Phoenix what came in the words of the semantic
// conventions and by LangSmith's SDK, judges a run, changes the judgement and takes it
// back, and reads from Phoenix's API what Phoenix made of it: spans and their kinds,
// models, tokens, documents with their scores, sessions, annotations.
func TestPhoenix(t *testing.T) {
	t.Parallel()
	phoenix := startPhoenix(t)
	s := e2etest.Start(t, e2etest.Spec{Config: `chats: {preset: "", close: {root: 300ms}}
sinks:
  - {name: phoenix, profile: phoenix, endpoint: "` + phoenix + `", project: assistente, delay: 20ms}
`})
	const trace, root, search, call = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "c7ad6b7169203332", "d7ad6b7169203333"
	text := func(key, value string) string {
		quoted, _ := json.Marshal(value) // text always can be
		return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%s}}`, key, quoted)
	}
	number := func(key string, value int) string {
		return fmt.Sprintf(`{"key":%q,"value":{"intValue":"%d"}}`, key, value)
	}
	span := func(id, parent, name, more string, attributes ...string) string {
		return fmt.Sprintf(`{"traceId":%q,"spanId":%q,"parentSpanId":%q,"name":%q,"kind":1,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"%s,"attributes":[%s]}`,
			trace, id, parent, name, time.Now().Add(-time.Second).UnixNano(), time.Now().UnixNano(), more, strings.Join(attributes, ","))
	}
	documents := `[{"id":"manual.pdf","score":0.8125,"content":"A válvula abre a 6 bar."},{"id":"nota.pdf","score":0.25,"content":"O alívio fecha a 5 bar."}]`
	body := `{"resourceSpans":[{"resource":{"attributes":[` + text("service.name", "assistente") + `]},"scopeSpans":[{"spans":[` + strings.Join([]string{
		span(root, "", "invoke_agent assistente", "", text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.conversation.id", "conversa-1"), text("user.id", "u-7")),
		span(search, root, "retrieval manuais", "", text("gen_ai.operation.name", "retrieval"), text("gen_ai.data_source.id", "manuais"), text("gen_ai.conversation.id", "conversa-1"),
			text("gen_ai.retrieval.query.text", "A que pressão?"), text("gen_ai.retrieval.documents", documents)),
		span(call, root, "chat llama", `,"status":{"code":2,"message":"cortado"}`, text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "groq"), text("gen_ai.conversation.id", "conversa-1"),
			text("gen_ai.response.model", "llama-3.1-8b-instant"), number("gen_ai.usage.input_tokens", 200), number("gen_ai.usage.output_tokens", 100), number("gen_ai.usage.cache_read.input_tokens", 50)),
	}, ",") + `]}]}]}`
	jsonType := http.Header{"Content-Type": {"application/json"}}
	if a := s.Do(http.MethodPost, "/v1/traces", jsonType, strings.NewReader(body)); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	spans := map[string]phoenixSpan{}
	e2etest.Eventually(t, settled, func() error {
		var list []phoenixSpan
		if err := askPhoenix(phoenix, "/v1/projects/assistente/spans?limit=100", &list); err != nil {
			return err
		}
		for _, one := range list {
			spans[one.Context.SpanID] = one
		}
		if len(spans) != 3 {
			return fmt.Errorf("%d spans", len(spans))
		}
		return nil
	})
	for id, want := range map[string][3]string{root: {"AGENT", "", "UNSET"}, search: {"RETRIEVER", root, "UNSET"}, call: {"LLM", root, "ERROR"}} {
		got := spans[id]
		if diff := cmp.Diff(want, [3]string{got.Kind, got.ParentID, got.Status}); diff != "" || got.Context.TraceID != trace || got.Attributes["session.id"] != "conversa-1" {
			t.Errorf("%s: %s %v", got.Name, diff, got.Attributes)
		}
	}
	for key, want := range map[string]any{
		"llm.model_name": "llama-3.1-8b-instant", "llm.token_count.prompt": 200.0, "llm.token_count.completion": 100.0,
		"llm.token_count.prompt_details.cache_read": 50.0,
	} {
		if got := spans[call].Attributes[key]; got != want {
			t.Errorf("%s is %v, not %v, in %v", key, got, want, spans[call].Attributes)
		}
	}
	found, _ := json.Marshal(spans[search].Attributes)
	for _, want := range []string{`"manual.pdf"`, "0.8125", "A válvula abre a 6 bar."} {
		if !strings.Contains(string(found), want) {
			t.Errorf("no %s among the documents: %s", want, found)
		}
	}
	var sessions []struct {
		ID string `json:"session_id"`
	}
	if err := askPhoenix(phoenix, "/v1/projects/assistente/sessions", &sessions); err != nil || len(sessions) != 1 || sessions[0].ID != "conversa-1" {
		t.Errorf("sessions: %+v %v", sessions, err)
	}

	// Feedback of the run: made, changed, taken back.
	annotated := func(want ...string) {
		t.Helper()
		e2etest.Eventually(t, settled, func() error {
			var list []struct {
				Name   string `json:"name"`
				Kind   string `json:"annotator_kind"`
				SpanID string `json:"span_id"`
				Result struct {
					Score       *float64
					Label       string
					Explanation string
				}
			}
			if err := askPhoenix(phoenix, "/v1/projects/assistente/span_annotations?span_ids="+url.QueryEscape(root), &list); err != nil {
				return err
			}
			var got []string
			for _, a := range list {
				score := "-"
				if a.Result.Score != nil {
					score = fmt.Sprint(*a.Result.Score)
				}
				got = append(got, fmt.Sprintf("%s %s %s %s %s", a.SpanID, a.Kind, a.Name, score, a.Result.Explanation))
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("%q, not %q", got, want)
			}
			return nil
		})
	}
	const id = "11111111-1111-4111-8111-111111111111"
	if a := s.Do(http.MethodPost, "/feedback", jsonType, strings.NewReader(`{"id":"`+id+`","run_id":"`+trace+`","key":"user-score","score":0,"comment":"errado"}`)); a.Status/100 != 2 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	annotated(root + " HUMAN user-score 0 errado")
	if a := s.Do(http.MethodPatch, "/feedback/"+id, jsonType, strings.NewReader(`{"score":1,"comment":"certo"}`)); a.Status/100 != 2 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	annotated(root + " HUMAN user-score 1 certo")
	if a := s.Do(http.MethodDelete, "/feedback/"+id, nil, http.NoBody); a.Status/100 != 2 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	annotated()

	// What LangSmith's SDK sends, in a project of its own.
	runPython(t, s, "0.15", "de-python", "backend.py", "plain")
	e2etest.Eventually(t, settled, func() error {
		var list []phoenixSpan
		if err := askPhoenix(phoenix, "/v1/projects/de-python/spans?limit=100", &list); err != nil {
			return err
		}
		kinds := map[string]int{}
		for _, one := range list {
			kinds[one.Kind]++
		}
		if diff := cmp.Diff(map[string]int{"CHAIN": 1, "LLM": 2, "RETRIEVER": 3}, kinds); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
	var sinks struct {
		Sinks []struct {
			Rejected int64 `json:"rejected_spans"`
			Dead     int64 `json:"dead_lettered_spans"`
			Feedback struct {
				Dead int64 `json:"dead_lettered"`
			}
		}
	}
	s.JSON("/monitoring/sinks", &sinks)
	if one := sinks.Sinks[0]; one.Rejected != 0 || one.Dead != 0 || one.Feedback.Dead != 0 {
		t.Errorf("%+v", one)
	}
}
