package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// told keeps what three backends on one address were told of judgements: LangSmith below
// /ls, Langfuse below /lf, Phoenix below /px. It takes everything else.
type told struct {
	t *testing.T

	mu sync.Mutex
	// has is by backend and id: the score and the comment.
	has map[string]string
}

func (b *told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed
	}
	backend, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	b.mu.Lock()
	defer b.mu.Unlock()
	var body map[string]any
	if r.Header.Get("Content-Type") == "application/json" && len(raw) > 0 {
		_ = json.Unmarshal(raw, &body) // lists are of no interest
	}
	last := path[strings.LastIndex(path, "/")+1:]
	status := http.StatusOK
	switch on := backend + " " + r.Method + " " + strings.TrimSuffix(path, last); {
	case on == "ls POST " && last == "feedback":
		b.has["ls "+body["id"].(string)] = fmt.Sprint(body["score"], " ", body["comment"])
	case on == "ls PATCH feedback/":
		if _, known := b.has["ls "+last]; !known {
			status = http.StatusNotFound
			break
		}
		b.has["ls "+last] = fmt.Sprint(body["score"], " ", body["comment"])
	case on == "ls DELETE feedback/":
		delete(b.has, "ls "+last)
	case on == "ls GET " && last == "sessions":
		_, _ = w.Write([]byte("[]"))
		return
	case on == "lf POST api/public/" && last == "scores":
		b.has["lf "+body["id"].(string)] = fmt.Sprint(body["value"], " ", body["comment"])
	case on == "lf DELETE api/public/scores/":
		delete(b.has, "lf "+last)
	case on == "px POST v1/" && last == "span_annotations":
		a := body["data"].([]any)[0].(map[string]any)
		result := a["result"].(map[string]any)
		b.has["px "+strings.TrimPrefix(a["identifier"].(string), "treq:")] = fmt.Sprint(result["score"], " ", result["explanation"])
	case backend == "px" && r.Method == http.MethodDelete:
		delete(b.has, "px "+strings.TrimPrefix(r.URL.Query().Get("identifier"), "treq:"))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("{}"))
}

// read is a judgement as an SDK read it.
type readFeedback struct {
	ID, Run, Key string
	Score        any
	Value        any
	Comment      any
	Correction   any
	Source       string
	Changed      bool
}

// TestFeedbackOfEverySDK judges, changes, reads, lists and withdraws judgements with the
// real SDKs: they read what they said, every judgement counts once and as it was said
// last, and every sink has what holds, and of what was withdrawn nothing; twice, with a
// crash between.
func TestFeedbackOfEverySDK(t *testing.T) {
	t.Parallel()
	backends := &told{t: t, has: map[string]string{}}
	server := httptest.NewServer(backends)
	t.Cleanup(server.Close)
	s := e2etest.Start(t, e2etest.Spec{Config: `chats: {preset: "", close: {root: 300ms}}
sinks:
  - {name: langsmith, profile: langsmith, protocol: http/protobuf, endpoint: "` + server.URL + `/ls", api_key: key, delay: 20ms}
  - {name: langfuse, endpoint: "` + server.URL + `/lf/api/public/otel/v1/traces", headers: {Authorization: "Basic cHVibGljOnNlY3JldA=="}, delay: 20ms}
  - {name: phoenix, endpoint: "` + server.URL + `/px/v1/traces", feedback: phoenix, delay: 20ms}
`})
	clients := map[string]func() []byte{"js": func() []byte {
		return runNode(t, []string{"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=http://" + s.Addr, "LANGSMITH_API_KEY=of-the-app"}, "feedback.mjs")
	}}
	for _, generation := range generations {
		clients[generation] = func() []byte { return runPython(t, s, generation, "judged", "feedback.py") }
	}
	want := map[string]string{}
	count := map[string]int{}
	for name, run := range clients {
		var printed struct {
			Run, Gone, Left string
			Read, Changed   readFeedback
			Listed, Keyed   []readFeedback
			Nobody          int
			Streamed        readFeedback
		}
		out := run()
		if err := json.Unmarshal(out, &printed); err != nil {
			t.Fatalf("%s: %s %v", name, out, err)
		}
		p := &printed
		first := readFeedback{ID: p.Read.ID, Run: p.Run, Key: "user-score", Score: 1.0, Comment: "bom", Source: "api"}
		if diff := cmp.Diff(first, p.Read); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		first.Score, first.Comment, first.Changed = 0.0, "ruim", true
		if diff := cmp.Diff(first, p.Changed); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		first.Correction = map[string]any{"answer": "c"}
		if len(p.Listed) != 2 || len(p.Keyed) != 1 || p.Nobody != 0 || !strings.Contains(p.Left, "Error") {
			t.Fatalf("%s: %s", name, out)
		}
		tone := readFeedback{ID: p.Keyed[0].ID, Run: p.Run, Key: "tone", Score: 0.5, Value: "seco", Source: "api"}
		if diff := cmp.Diff([]readFeedback{tone, first}, p.Listed); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if diff := cmp.Diff([]readFeedback{tone}, p.Keyed); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		for _, backend := range []string{"ls ", "lf ", "px "} {
			want[backend+p.Read.ID], want[backend+tone.ID] = "0 ruim", "0.5 <nil>"
		}
		count["user-score"]--
		if name != "js" {
			if p.Streamed.Score != 0.0 || p.Streamed.Run != p.Run || !p.Streamed.Changed {
				t.Errorf("%s: %+v", name, p.Streamed)
			}
			for _, backend := range []string{"ls ", "lf ", "px "} {
				want[backend+p.Streamed.ID] = "0 <nil>"
			}
			count["streamed"]--
		}
	}
	for range 2 {
		for key, negatives := range map[string]int{"user-score": count["user-score"], "streamed": count["streamed"], "tone": -len(clients), "accuracy": 0} {
			var stats struct {
				Positive int `json:"total_positive"`
				Negative int `json:"total_negative"`
				Unscored int `json:"total_unscored"`
			}
			s.JSON("/feedback/stats?key="+url.QueryEscape(key), &stats)
			if stats.Positive != 0 || stats.Negative != -negatives || stats.Unscored != 0 {
				t.Errorf("%s: %+v, not %d negative", key, stats, -negatives)
			}
		}
		e2etest.Eventually(t, settled, func() error {
			backends.mu.Lock()
			has := maps.Clone(backends.has)
			backends.mu.Unlock()
			if diff := cmp.Diff(want, has); diff != "" {
				return fmt.Errorf("-want +got:\n%s", diff)
			}
			return nil
		})
		s.Crash()
	}
}
