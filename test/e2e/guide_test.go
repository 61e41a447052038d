package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// TestGuideExample plays the guide's own example numbers in through its three
// POSTs and wants its two documents back, every key and digit of them but the
// clock's and the machine's.
func TestGuideExample(t *testing.T) {
	t.Parallel()
	blocks := guideBlocks(t, "json")
	s := e2etest.Start(t, e2etest.Spec{})
	playGuide(t, s)

	compareDocument(t, s.Get("/monitoring/metrics").Body, blocks[0])
	compareDocument(t, s.Get("/monitoring/stats/summary").Body, blocks[1])
	compareDocument(t, s.Get("/monitoring/health").Body, blocks[2])

	s.Crash()
	compareDocument(t, s.Get("/monitoring/metrics").Body, blocks[0])
	s.Terminate()
	s.Again()
	compareDocument(t, s.Get("/monitoring/metrics").Body, blocks[0])
	compareDocument(t, s.Get("/monitoring/stats/summary").Body, blocks[1])
}

// playGuide posts 150 chats, 120 searches and 145 model calls whose sums and
// averages are those of the guide's example.
func playGuide(t *testing.T, s *e2etest.Server) {
	t.Helper()
	var posts []string
	around := func(i, n int, mean, step float64) float64 {
		return mean + (float64(i)-float64(n-1)/2)*step // the deviations cancel out
	}
	for i := range 150 {
		tokens := 0
		if i < 145 {
			tokens = 45000 / 145
			if i < 45000%145 {
				tokens++
			}
		}
		posts = append(posts, "/monitoring/chat/metrics?"+url.Values{
			"success":          {fmt.Sprint(i < 145)},
			"response_time_ms": {fmt.Sprint(around(i, 150, 850.5, 2))},
			"rag_used":         {fmt.Sprint(i < 120)},
			"rag_found":        {fmt.Sprint(i < 112)},
			"llm_tokens":       {fmt.Sprint(tokens)},
		}.Encode())
	}
	for i := range 120 {
		posts = append(posts, "/monitoring/rag/metrics?"+url.Values{
			"search_time_ms":   {fmt.Sprint(around(i, 120, 120.3, 1))},
			"similarity_score": {fmt.Sprint(around(i, 120, 0.685, 0.001))},
			"cache_hit":        {fmt.Sprint(i < 45)},
		}.Encode())
	}
	models := []string{"llama-3.1-8b-instant", "llama-3.3-70b-versatile", "glm-4.7"}
	for i := range 145 {
		model := models[0]
		if i >= 95 {
			model = models[1]
		}
		if i >= 135 {
			model = models[2]
		}
		tokens := 45000 / 145
		if i < 45000%145 {
			tokens++
		}
		posts = append(posts, "/monitoring/llm/metrics?"+url.Values{
			"model": {model}, "tokens": {fmt.Sprint(tokens)}, "latency_ms": {fmt.Sprint(around(i, 145, 650.2, 2))},
		}.Encode())
	}
	work := make(chan string)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for path := range work {
				a, err := e2etest.Do(t.Context(), http.MethodPost, s.URL(path), nil, nil)
				if err != nil || a.Status != http.StatusOK || strings.TrimSpace(string(a.Body)) != `{"status":"recorded"}` {
					t.Errorf("POST %s: %d %s %v", path, a.Status, a.Body, err)
				}
			}
		})
	}
	for _, path := range posts {
		work <- path
	}
	close(work)
	workers.Wait()
}

var (
	timestamp = regexp.MustCompile(`"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"`)
	uptime    = regexp.MustCompile(`"uptime_seconds":\d+,|"uptime_hours":\d+\.\d+,`)
	system    = regexp.MustCompile(`"cpu_percent":\d+\.\d+,"memory_usage_mb":\d+\.\d+,"memory_available_mb":\d+\.\d+,"threads":\d+,`)
)

// compareDocument compares two documents byte for byte but for white space
// between tokens, after masking what depends on the clock and the machine. What
// is masked must have the documented form.
func compareDocument(t *testing.T, got, want []byte) {
	t.Helper()
	mask := func(document []byte) string {
		var compact bytes.Buffer
		if err := json.Compact(&compact, document); err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		b := timestamp.ReplaceAll(compact.Bytes(), []byte(`"timestamp":"…"`))
		b = uptime.ReplaceAll(b, []byte(`"uptime":…,`))
		b = system.ReplaceAll(b, []byte(`"machine":…,`))
		var indented bytes.Buffer
		masked := strings.ReplaceAll(string(b), ":…", ":0")
		if err := json.Indent(&indented, []byte(masked), "", "  "); err != nil {
			t.Fatalf("%v in %s", err, masked)
		}
		return indented.String()
	}
	if diff := cmp.Diff(mask(want), mask(got)); diff != "" {
		t.Errorf("not the guide's document (-guide +served):\n%s", diff)
	}
}

// TestGuideCurlLines runs every curl line of the guide as printed, but for the
// port, and without the formatter behind it.
func TestGuideCurlLines(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	ran := 0
	for _, block := range guideBlocks(t, "bash") {
		for line := range strings.Lines(string(block)) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "curl ") {
				continue
			}
			line = strings.TrimSuffix(strings.ReplaceAll(line, "localhost:8002", s.Addr), "| jq")
			out, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
			if err != nil || !json.Valid(out) {
				t.Errorf("%s: %q %v", line, out, err)
			}
			ran++
		}
	}
	if ran != 3 {
		t.Errorf("ran %d curl lines of the guide, want 3", ran)
	}
	want := e2etest.Chat{
		TotalRequests: 1, SuccessfulRequests: 1, AvgResponseTimeMS: 500, RAGQueries: 1, LLMCalls: 1, LLMTokensUsed: 100,
	}
	m := s.Metrics("")
	if diff := cmp.Diff(want, m.Chat); diff != "" {
		t.Errorf("chat after the guide's POST (-want +got):\n%s", diff)
	}
	if m.RAG.TotalSearches != 0 || m.LLM.TotalCalls != 0 {
		t.Errorf("a chat POST counted in other blocks: %+v %+v", m.RAG, m.LLM)
	}
}

// TestPostThenGet wants every POST to be in the very next GET.
func TestPostThenGet(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	for i := range int64(40) {
		a := s.Do(http.MethodPost, "/monitoring/chat/metrics?success=true&response_time_ms=10", nil, nil)
		if a.Status != http.StatusOK {
			t.Fatalf("POST: %d %s", a.Status, a.Body)
		}
		if got := s.Metrics("").Chat.TotalRequests; got != i+1 {
			t.Fatalf("after %d POSTs the document shows %d", i+1, got)
		}
		var summary e2etest.Summary
		if s.JSON("/monitoring/stats/summary", &summary); summary.TotalRequests != i+1 {
			t.Fatalf("after %d POSTs the summary shows %d", i+1, summary.TotalRequests)
		}
	}
}

// TestIdempotencyKey retries one POST, before and after a crash: one chat.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	post := func(query string) e2etest.Answer {
		return s.Do(http.MethodPost, "/monitoring/chat/metrics?"+query, http.Header{"Idempotency-Key": {"k-1"}}, nil)
	}
	for round := range 4 {
		if round == 2 {
			s.Crash()
		}
		if a := post("success=true&response_time_ms=10"); a.Status != http.StatusOK {
			t.Fatalf("POST: %d %s", a.Status, a.Body)
		}
	}
	if a := post("success=false&response_time_ms=10"); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("same key, other parameters: %d %s, want 422", a.Status, a.Body)
	}
	if got := s.Metrics("").Chat.TotalRequests; got != 1 {
		t.Errorf("%d chats, want 1", got)
	}
}

// guideBlocks gives the guide's fenced blocks of one language.
func guideBlocks(t *testing.T, language string) [][]byte {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "guia-de-monitoramento.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]byte
	for _, part := range bytes.Split(guide, []byte("```"+language+"\n"))[1:] {
		block, _, _ := bytes.Cut(part, []byte("```"))
		blocks = append(blocks, block)
	}
	return blocks
}
