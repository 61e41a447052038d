package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// generations are those of LangSmith's Python SDK that scripts/install-langsmith installs.
var generations = []string{"0.1", "0.3", "0.15"}

// runPython runs a program of test/e2e/python under one generation of the SDK, with
// nothing in its environment but what points it at the service.
func runPython(t *testing.T, s *e2etest.Server, generation, project string, args ...string) []byte {
	t.Helper()
	python, err := filepath.Abs(filepath.Join("..", "..", ".cache", "langsmith-"+generation, "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, append([]string{"-W", "ignore"}, args...)...)
	cmd.Dir = "python"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}
	for _, prefix := range []string{"LANGSMITH_", "LANGCHAIN_"} {
		cmd.Env = append(cmd.Env, prefix+"TRACING_V2=true", prefix+"TRACING=true", prefix+"ENDPOINT=http://"+s.Addr,
			prefix+"API_KEY=lsv2_pt_of-the-app", prefix+"PROJECT="+project)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python %v: %v\n%s (make e2e-tools installs what it needs)", args, err, stderr.Bytes())
	}
	// The SDK hides what it cannot send, and says so here.
	if complaint := stderr.String(); strings.Contains(complaint, "Failed to") || strings.Contains(complaint, "rror ") {
		t.Errorf("python %v complains:\n%s", args, complaint)
	}
	return out
}

// backendOnce is what backend.py adds when it is asked plain, streamed, empty and
// failed: five calls, of which the streamed question makes two and the failed one
// fails; every question searches once.
var backendOnce = e2etest.Totals{Chats: 4, Failed: 1, RAGQueries: 4, NoResults: 1, Searches: 4, Calls: 5}

// TestBackendOfEveryGeneration runs the backend that the guide is written for, with
// only the endpoint changed: the guide's documents show what happened, each run is
// found under the id that the SDK knows it by, and its judgement counts.
func TestBackendOfEveryGeneration(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: "chats:\n  preset: treq\n  close:\n    root: 300ms\n    leaves: 300ms\n"})
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			project := "treq-" + generation
			var printed struct{ Runs []string }
			out := runPython(t, s, generation, project, "backend.py", "plain", "streamed", "empty", "failed")
			if err := json.Unmarshal(out, &printed); err != nil || len(printed.Runs) != 4 {
				t.Fatalf("%s: %v", out, err)
			}
			m := wantTotals(t, s, project, backendOnce)
			if m.LLM.Model8BCalls != 4 || m.LLM.Model70BCalls != 1 || m.RAG.AvgSimilarityScore != 0.615 {
				t.Errorf("%+v %+v", m.LLM, m.RAG)
			}
			var run struct {
				RunID   string `json:"run_id"`
				Project string `json:"project"`
				Spans   int    `json:"spans"`
			}
			s.JSON("/monitoring/runs/"+printed.Runs[0], &run)
			if run.RunID != printed.Runs[0] || run.Project != project || run.Spans != 6 {
				t.Errorf("run %s: %+v", printed.Runs[0], run)
			}
		})
	}
	// Three of the four questions of each generation have a run id to judge.
	e2etest.Eventually(t, settled, func() error {
		want := fmt.Sprintf(`treq_feedback_score_sum{service_name="default",treq_feedback_key="user-score",treq_feedback_source="api"} %d`, 3*len(generations))
		if a := s.Get("/metrics"); !strings.Contains(string(a.Body), want+"\n") {
			return fmt.Errorf("no line %s", want)
		}
		return nil
	})
	// All of it is there after a crash, and nothing twice.
	s.Crash()
	for _, generation := range generations {
		wantTotals(t, s, "treq-"+generation, backendOnce)
	}
}

// TestSDKHelpers uses what else the SDKs offer: runs that are posted one by one, the
// link of a run, and a run that goes on.
func TestSDKHelpers(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	for _, generation := range generations {
		var printed struct{ URL, Linked, Ended, Going, Project, Tenant string }
		out := runPython(t, s, generation, "helpers-"+generation, "helpers.py")
		if err := json.Unmarshal(out, &printed); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if printed.Project != "direct" || !strings.Contains(printed.URL, printed.Tenant) || !strings.Contains(printed.URL, printed.Linked) {
			t.Errorf("%s: %+v", generation, printed)
		}
		for id, state := range map[string]string{printed.Linked: "", printed.Ended: "", printed.Going: "running"} {
			var run struct {
				State    string   `json:"state"`
				Duration *float64 `json:"duration_ms"`
			}
			e2etest.Eventually(t, settled, func() error {
				a := s.Get("/monitoring/runs/" + id)
				if err := json.Unmarshal(a.Body, &run); err != nil || a.Status != http.StatusOK || run.State != state || (run.Duration == nil) != (state != "") {
					return fmt.Errorf("%s: run %s, which should be %q: %d %s", generation, id, state, a.Status, a.Body)
				}
				return nil
			})
		}
	}
}

// TestLangSmithJavaScript is the same for the JavaScript SDK, whose body is
// compressed as its Node can.
func TestLangSmithJavaScript(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	for project, mode := range map[string]string{
		"compressed": "LANGSMITH_RUN_COMPRESSION_LEVEL=1", "plain": "LANGSMITH_DISABLE_RUN_COMPRESSION=true",
		"whole": "LANGSMITH_DISABLE_MULTIPART_STREAMING=true",
	} {
		runNode(t, []string{
			"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=http://" + s.Addr, "LANGSMITH_API_KEY=of-the-app", "LANGSMITH_PROJECT=" + project, mode,
		}, "native.mjs")
		m := wantTotals(t, s, project, once)
		if m.LLM.Model8BCalls != 1 || m.RAG.AvgSimilarityScore != 0.5 {
			t.Errorf("%s: %+v %+v", mode, m.RAG, m.LLM)
		}
	}
}

// TestRunsSurviveKills sends runs in pieces while the service is killed: what was
// acknowledged is counted once, whether a kill lay between a run's pieces, between
// its end and its span, or behind.
func TestRunsSurviveKills(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"any": sink.URL()})})
	var senders sync.WaitGroup
	stop := make(chan struct{})
	sent := make([]int, 3)
	for sender := range sent {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					sent[sender] = n
					return
				default:
				}
				for _, body := range questionInRuns(sender, n) {
					postRuns(t, s, body)
				}
			}
		})
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	for range 12 {
		time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := s.Relaunch(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(stop)
	senders.Wait()
	total := int64(sent[0] + sent[1] + sent[2])
	if total == 0 {
		t.Fatal("nothing was acknowledged")
	}
	wantTotals(t, s, "loja", e2etest.Totals{Chats: total, RAGQueries: total, Searches: total, Calls: total, Tokens: 300 * total})
	e2etest.Eventually(t, settled, func() error {
		if n := int64(len(sink.Delivered())); n != 3*total {
			return fmt.Errorf("the sink has %d of %d spans", n, 3*total)
		}
		return nil
	})
	t.Logf("seed %d: %d questions", seed, total)
}

// postRuns posts until it is acknowledged, as the SDK does.
func postRuns(t *testing.T, s *e2etest.Server, body string) {
	for {
		a, err := e2etest.Do(context.WithoutCancel(t.Context()), http.MethodPost, s.URL("/runs/batch"),
			http.Header{"Content-Type": {"application/json"}}, strings.NewReader(body))
		switch {
		case err == nil && a.Status == http.StatusAccepted:
			return
		case err == nil && a.Status != http.StatusTooManyRequests && a.Status != http.StatusServiceUnavailable:
			t.Errorf("%d %s", a.Status, a.Body)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// questionInRuns gives the requests that tell of one question: beginnings, then the
// ends of its parts, then its own.
func questionInRuns(sender, n int) []string {
	id := func(part int) string {
		return fmt.Sprintf("%02x%06x-%04x-7000-8000-0000000000%02x", 0x10+sender, n, part, part)
	}
	const start, end = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"
	post := func(part int, kind string) string {
		parent := ""
		if part > 0 {
			parent = `,"parent_run_id":"` + id(0) + `"`
		}
		return fmt.Sprintf(`{"id":%q,"trace_id":%q%s,"name":%q,"run_type":%q,"session_name":"loja","start_time":%q,"inputs":{"n":%d},`+
			`"extra":{"metadata":{"ls_model_name":"llama-3.1-8b-instant"}}}`, id(part), id(0), parent, kind, kind, start, n)
	}
	patch := func(part int, outputs string) string {
		return fmt.Sprintf(`{"id":%q,"end_time":%q,"outputs":%s}`, id(part), end, outputs)
	}
	return []string{
		`{"post":[` + post(0, "chain") + `,` + post(1, "retriever") + `,` + post(2, "llm") + `]}`,
		`{"patch":[` + patch(1, `{"documents":[{"page_content":"a","metadata":{"score":0.5}}]}`) + `,` +
			patch(2, `{"usage_metadata":{"input_tokens":200,"output_tokens":100,"total_tokens":300}}`) + `]}`,
		`{"patch":[` + patch(0, `{"output":"b"}`) + `]}`,
	}
}
