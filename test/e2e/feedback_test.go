package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"treq/test/e2e/e2etest"
)

// judges are three backends on one address: LangSmith below /ls, Langfuse below /lf,
// Phoenix below /px. They take traces, and of judgements those of runs whose spans
// they have, as the real ones do.
type judges struct {
	t *testing.T

	mu sync.Mutex
	// spans are known, by backend and span id.
	spans map[string]bool
	// votes are the scores that were taken: by backend, run and key.
	votes map[string]float64
	// down makes everything about judgements answer 503.
	down bool
}

func newJudges(t *testing.T) (*judges, string) {
	j := &judges{t: t, spans: map[string]bool{}, votes: map[string]float64{}}
	server := httptest.NewServer(j)
	t.Cleanup(server.Close)
	return j, server.URL
}

func (j *judges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed
	}
	backend, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	j.mu.Lock()
	defer j.mu.Unlock()
	if strings.HasSuffix(path, "v1/traces") {
		j.traces(backend, r, raw)
		return
	}
	if j.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var body map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			j.t.Errorf("%s: %v", r.URL, err)
		}
	}
	status := http.StatusNotFound
	switch backend + " " + r.Method + " " + path {
	case "ls GET sessions":
		fmt.Fprintf(w, `[{"id":"22222222-2222-4222-8222-222222222222","tenant_id":"33333333-3333-4333-8333-333333333333","name":%q}]`, r.URL.Query().Get("name"))
		return
	case "ls POST feedback":
		status = j.langSmith(r, body)
	case "lf POST api/public/scores":
		status = j.langfuse(r, body)
	case "px POST v1/span_annotations":
		status = j.phoenix(r, body)
	default:
		if id, ok := strings.CutPrefix(path, "feedback/"); ok && backend == "ls" && r.Method == http.MethodPatch {
			status = j.patch(id, body)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"id":"x"}`))
}

func (j *judges) traces(backend string, r *http.Request, raw []byte) {
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(bytes.NewReader(raw))
		if err == nil {
			raw, err = io.ReadAll(unzipped)
		}
		if err != nil {
			j.t.Error(err)
		}
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		j.t.Error(err)
	}
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				j.spans[backend+" "+hex.EncodeToString(span.SpanId)] = true
			}
		}
	}
}

var zeroUUID = regexp.MustCompile(`^00000000-0000-0000-([0-9a-f]{4})-([0-9a-f]{12})$`)

func (j *judges) langSmith(r *http.Request, body map[string]any) int {
	run, _ := body["run_id"].(string)
	id := zeroUUID.FindStringSubmatch(run)
	if id == nil || r.Header.Get("X-Api-Key") != "key" || body["key"] == nil || body["session_id"] != "22222222-2222-4222-8222-222222222222" && j.spans["ls "+id[1]+id[2]] {
		j.t.Errorf("LangSmith: %v", body)
		return http.StatusUnprocessableEntity
	}
	if !j.spans["ls "+id[1]+id[2]] {
		return http.StatusNotFound
	}
	j.votes["ls "+body["id"].(string)], _ = body["score"].(float64)
	return http.StatusOK
}

func (j *judges) patch(id string, body map[string]any) int {
	if _, ok := j.votes["ls "+id]; !ok {
		return http.StatusNotFound
	}
	j.votes["ls "+id], _ = body["score"].(float64)
	return http.StatusOK
}

func (j *judges) langfuse(r *http.Request, body map[string]any) int {
	trace, _ := body["traceId"].(string)
	if user, password, _ := r.BasicAuth(); len(trace) != 32 || user != "public" || password != "secret" || body["dataType"] != "NUMERIC" {
		j.t.Errorf("Langfuse: %v", body)
		return http.StatusBadRequest
	}
	j.votes["lf "+body["id"].(string)] = body["value"].(float64)
	return http.StatusOK
}

func (j *judges) phoenix(r *http.Request, body map[string]any) int {
	list, _ := body["data"].([]any)
	if len(list) != 1 || r.URL.RawQuery != "sync=true" {
		j.t.Errorf("Phoenix: %s %v", r.URL, body)
		return http.StatusUnprocessableEntity
	}
	a := list[0].(map[string]any)
	if !j.spans["px "+a["span_id"].(string)] {
		return http.StatusNotFound
	}
	id := strings.TrimPrefix(a["identifier"].(string), "treq:")
	j.votes["px "+id], _ = a["result"].(map[string]any)["score"].(float64)
	return http.StatusOK
}

func (j *judges) set(down bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.down = down
}

func (j *judges) has() (votes map[string]float64, spans int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.votes), len(j.spans)
}

// TestFeedbackReachesEverySinkThroughKills judges runs before their spans come and
// after, changes votes, takes the backends away and kills the process again and
// again: what was answered counts once, stands with its run, and is at the end in
// every sink, the last vote of each. Spans are not held up meanwhile.
func TestFeedbackReachesEverySinkThroughKills(t *testing.T) {
	t.Parallel()
	backends, url := newJudges(t)
	s := e2etest.Start(t, e2etest.Spec{Config: `chats: {preset: "", close: {root: 300ms}}
sinks:
  - {name: langsmith, profile: langsmith, endpoint: "` + url + `/ls", api_key: key, project: mine, delay: 20ms}
  - {name: langfuse, endpoint: "` + url + `/lf/api/public/otel/v1/traces", headers: {Authorization: "Basic cHVibGljOnNlY3JldA=="}, delay: 20ms}
  - {name: phoenix, endpoint: "` + url + `/px/v1/traces", feedback: phoenix, delay: 20ms}
  - {name: silent, endpoint: "` + url + `/px/v1/traces", delay: 20ms}
`})
	generator := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	const runs, rounds = 12, 3
	var traces []*e2etest.Trace
	for range runs {
		traces = append(traces, generator.Trace(e2etest.Question{Input: 10, Output: 5}, time.Now().Add(-time.Second)))
	}
	want := map[string]float64{}
	counted := 0
	vote := func(i int, score float64) {
		root := traces[i].Spans[e2etest.SpansPerTrace-1]
		body := fmt.Sprintf(`{"message_id":"%x","feedback_type":%q,"comment":"voto"}`, root.SpanId, map[float64]string{0: "negative", 1: "positive"}[score])
		a := s.Do(http.MethodPost, "/feedback/", http.Header{"Content-Type": {"application/json"}}, strings.NewReader(body))
		var answer struct {
			ID      string `json:"id"`
			Success bool   `json:"success"`
		}
		if err := json.Unmarshal(a.Body, &answer); err != nil || a.Status/100 != 2 || !answer.Success {
			t.Fatalf("%d %s %v", a.Status, a.Body, err)
		}
		for _, backend := range []string{"ls ", "lf ", "px "} {
			key := backend + answer.ID
			if was, ok := want[key]; backend == "ls " && (!ok || was != score) {
				counted++
			}
			want[key] = score
		}
	}
	for round := range rounds {
		for i := range runs {
			vote(i, float64((i+round)%2))
			vote(i, float64((i+round)%2))
			if i == runs/2 && round > 0 {
				s.Crash()
			}
		}
		if round == 1 {
			backends.set(true)
			for _, one := range traces {
				if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("svc", one.Spans...)); err != nil {
					t.Fatal(err)
				}
			}
			e2etest.Eventually(t, settled, func() error {
				if _, spans := backends.has(); spans != 3*runs*e2etest.SpansPerTrace {
					return fmt.Errorf("%d spans came while judgements are refused", spans)
				}
				return nil
			})
		}
		s.Crash()
	}
	backends.set(false)
	e2etest.Eventually(t, 2*time.Minute, func() error {
		votes, _ := backends.has()
		if diff := cmp.Diff(want, votes); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
	var sinks struct {
		Sinks []struct {
			Name     string
			Feedback *struct {
				Judgements, Sent, Waiting, Replaced int64
				DeadLettered                        int64 `json:"dead_lettered"`
			}
		}
	}
	e2etest.Eventually(t, settled, func() error {
		s.JSON("/monitoring/sinks", &sinks)
		for _, sink := range sinks.Sinks {
			f := sink.Feedback
			if (sink.Name == "silent") != (f == nil) || f != nil && (f.Waiting != 0 || f.DeadLettered != 0 || f.Judgements != f.Sent+f.Replaced) {
				return fmt.Errorf("%s: %+v", sink.Name, f)
			}
		}
		return nil
	})
	var stats struct {
		Positive int `json:"total_positive"`
		Negative int `json:"total_negative"`
	}
	s.JSON("/feedback/stats", &stats)
	if stats.Positive != runs/2 || stats.Negative != runs/2 {
		t.Errorf("%+v, not the last vote of each of %d runs", stats, runs)
	}
	votes := fmt.Sprintf(`treq_feedback_score_count{service_name="default",treq_feedback_key="user-score",treq_feedback_source="api"} %d`, counted)
	if a := s.Get("/metrics"); !strings.Contains(string(a.Body), votes+"\n") {
		t.Errorf("not %d votes that differed from the one before", counted)
	}
	root := traces[0].Spans[e2etest.SpansPerTrace-1]
	var run struct {
		URL        string `json:"langsmith_url"`
		Judgements []struct {
			Score   float64
			Comment string
		}
	}
	e2etest.Eventually(t, settled, func() error {
		s.JSON(fmt.Sprintf("/monitoring/runs/%x", root.TraceId), &run)
		page := fmt.Sprintf("%s/ls/o/33333333-3333-4333-8333-333333333333/projects/p/22222222-2222-4222-8222-222222222222/r/00000000-0000-0000-%x-%x", url, root.SpanId[:2], root.SpanId[2:])
		if len(run.Judgements) != 1 || run.Judgements[0].Score != float64((rounds-1)%2) || run.Judgements[0].Comment != "voto" || run.URL != page {
			return fmt.Errorf("%+v, not at %s", run, page)
		}
		return nil
	})
	s.Terminate()
}
