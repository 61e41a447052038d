package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// call is one request that a backend got.
type call struct {
	at     time.Time
	method string
	path   string
	header http.Header
	body   map[string]any
	status int
}

// backend stands for LangSmith, Langfuse and Phoenix at once: it checks every body
// as these do, and keeps what it took.
type backend struct {
	t *testing.T

	mu    sync.Mutex
	calls []call
	// unknown are runs, and spans, that it does not have yet.
	unknown map[string]bool
	// faults are answered first, one a request; 0 hangs up.
	faults []fault
	// taken is by the id, or name, span and identifier, of what was taken.
	taken map[string]map[string]any
	// slow is how long the next request takes.
	slow time.Duration
	// old is a Phoenix that deletes no annotations.
	old bool
	// conflicts makes a known id a conflict instead of a replacement.
	conflicts bool
}

type fault struct {
	status     int
	retryAfter string
	body       string
}

func newBackend(t *testing.T) *backend {
	return &backend{t: t, unknown: map[string]bool{}, taken: map[string]map[string]any{}}
}

func (b *backend) RoundTrip(r *http.Request) (*http.Response, error) {
	var raw []byte
	if r.Body != nil {
		raw, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	b.mu.Lock()
	slow := b.slow
	b.slow = 0
	b.mu.Unlock()
	// A timer that is due at once trips the race detector inside of a bubble
	// (runtime.timer.maybeRunChan, Go 1.26).
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := call{at: time.Now(), method: r.Method, path: r.URL.RequestURI(), header: r.Header}
	status, content := 0, ""
	if len(b.faults) > 0 {
		f := b.faults[0]
		b.faults = b.faults[1:]
		if f.status == 0 {
			b.calls = append(b.calls, c)
			return nil, io.ErrUnexpectedEOF
		}
		b.calls = append(b.calls, c)
		return answer(r, f.status, f.body, f.retryAfter), nil
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &c.body); err != nil {
			b.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
	}
	switch path := r.URL.Path; {
	case r.Method == http.MethodPost && path == "/feedback":
		status, content = b.feedback(c.body)
	case r.Method == http.MethodPatch && strings.HasPrefix(path, "/feedback/"):
		status, content = b.patch(strings.TrimPrefix(path, "/feedback/"), c.body)
	case r.Method == http.MethodDelete:
		status, content = b.remove(r)
	case r.Method == http.MethodGet && path == "/sessions":
		status, content = b.sessions(r)
	case r.Method == http.MethodPost && path == "/api/public/scores":
		status, content = b.score(c.body)
	case r.Method == http.MethodPost && path == "/v1/span_annotations":
		status, content = b.annotation(r, c.body)
	default:
		b.t.Errorf("nobody answers %s %s", r.Method, r.URL)
		status = http.StatusNotFound
	}
	c.status = status
	b.calls = append(b.calls, c)
	return answer(r, status, content, ""), nil
}

func answer(r *http.Request, status int, body, retryAfter string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	if retryAfter != "" {
		h.Set("Retry-After", retryAfter)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r}
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// only checks that an object has the required fields and no field that is not known,
// each of the type that is told.
func (b *backend) only(what string, object map[string]any, required []string, known map[string]string) bool {
	ok := true
	for _, name := range required {
		if _, has := object[name]; !has {
			b.t.Errorf("%s lacks %s: %v", what, name, object)
			ok = false
		}
	}
	for name, value := range object {
		want, is := known[name]
		if !is {
			b.t.Errorf("%s has %s, which is not known: %v", what, name, object)
			ok = false
			continue
		}
		if got := fmt.Sprintf("%T", value); !slices.Contains(strings.Split(want, "|"), got) && want != "any" {
			b.t.Errorf("%s: %s is a %s, not a %s", what, name, got, want)
			ok = false
		}
	}
	return ok
}

// langSmithFields are those of LangSmith's schema of feedback.
var langSmithFields = map[string]string{
	"id": "string", "run_id": "string", "trace_id": "string", "session_id": "string", "start_time": "string", "key": "string",
	"score": "float64|bool", "value": "any", "comment": "string", "correction": "any", "feedback_source": "map[string]interface {}",
	"feedback_config": "map[string]interface {}", "created_at": "string", "modified_at": "string", "extra": "any",
}

func (b *backend) feedback(body map[string]any) (int, string) {
	if !b.only("feedback", body, []string{"id", "key"}, langSmithFields) {
		return 422, `{"detail":"bad"}`
	}
	id, run := body["id"].(string), ""
	if r, ok := body["run_id"].(string); ok {
		run = r
		if !uuidForm.MatchString(r) {
			b.t.Errorf("run_id %q is no UUID", r)
			return 422, "{}"
		}
	}
	if !uuidForm.MatchString(id) {
		b.t.Errorf("id %q is no UUID", id)
		return 422, "{}"
	}
	if s, ok := body["score"].(float64); ok && s*1e4 != float64(int64(s*1e4+0.5)) && body["feedback_config"] == nil {
		b.t.Errorf("score %v has more than four decimals", s)
		return 422, "{}"
	}
	if s, ok := body["feedback_source"].(map[string]any); ok && s["type"] != "api" && s["type"] != "model" && s["type"] != "app" {
		b.t.Errorf("feedback_source %v", s)
	}
	if b.unknown[run] {
		return 404, `{"detail":"Run not found"}`
	}
	if b.taken[id] != nil && b.conflicts {
		return 409, `{"detail":"exists"}`
	}
	b.taken[id] = body
	return 200, string(must(json.Marshal(body)))
}

func (b *backend) patch(id string, body map[string]any) (int, string) {
	for name := range body {
		if !slices.Contains([]string{"score", "value", "comment", "correction"}, name) {
			b.t.Errorf("a change of %s", name)
		}
	}
	if b.taken[id] == nil {
		return 404, `{"detail":"Feedback not found"}`
	}
	for name, value := range body {
		if value == nil {
			delete(b.taken[id], name)
		} else {
			b.taken[id][name] = value
		}
	}
	return 200, "{}"
}

// remove deletes as the three do: by id, and Phoenix by filters in a project, with a
// time or the word that all is meant.
func (b *backend) remove(r *http.Request) (int, string) {
	path, q := r.URL.Path, r.URL.Query()
	if project, ok := strings.CutPrefix(path, "/v1/projects/"); ok {
		if q.Get("identifier") == "" || q.Get("name") == "" || q.Get("start_time") == "" || q.Get("end_time") == "" {
			b.t.Errorf("a deletion of %s", r.URL)
			return 422, "{}"
		}
		if b.old {
			return 405, "{}"
		}
		if project != "default/span_annotations" {
			return 404, "{}"
		}
		for key := range b.taken {
			if strings.HasPrefix(key, q.Get("name")+" ") && strings.HasSuffix(key, " "+q.Get("identifier")) {
				delete(b.taken, key)
			}
		}
		return 204, ""
	}
	id := path[strings.LastIndex(path, "/")+1:]
	if b.taken[id] == nil {
		return 404, "{}"
	}
	delete(b.taken, id)
	return 200, "{}"
}

func (b *backend) sessions(r *http.Request) (int, string) {
	if r.URL.Query().Get("limit") != "1" || r.Header.Get("Content-Type") != "" {
		b.t.Errorf("sessions: %s %v", r.URL, r.Header)
	}
	name := r.URL.Query().Get("name")
	if name == "unheard" {
		return 200, "[]"
	}
	return 200, `[{"id":"22222222-2222-4222-8222-222222222222","tenant_id":"33333333-3333-4333-8333-333333333333","name":"` + name + `"}]`
}

// score checks as Langfuse does.
func (b *backend) score(body map[string]any) (int, string) {
	if !b.only("score", body, []string{"id", "traceId", "name", "value", "dataType"}, map[string]string{
		"id": "string", "traceId": "string", "observationId": "string", "name": "string", "value": "string|float64", "comment": "string",
		"dataType": "string", "metadata": "map[string]interface {}",
	}) {
		return 400, `{"message":"Invalid request data"}`
	}
	switch _, text := body["value"].(string); body["dataType"] {
	case "NUMERIC":
		if text {
			b.t.Errorf("a numeric score of text: %v", body)
		}
	case "CATEGORICAL", "TEXT":
		if !text {
			b.t.Errorf("a %v score of a number", body["dataType"])
		}
	default:
		b.t.Errorf("dataType %v", body["dataType"])
	}
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(body["traceId"].(string)) {
		b.t.Errorf("traceId %v", body["traceId"])
	}
	b.taken[body["id"].(string)] = body
	return 200, `{"id":"` + body["id"].(string) + `"}`
}

// annotation checks as Phoenix does.
func (b *backend) annotation(r *http.Request, body map[string]any) (int, string) {
	data, ok := body["data"].([]any)
	if r.URL.RawQuery != "sync=true" || !ok || len(data) != 1 {
		b.t.Errorf("annotations: %s %v", r.URL, body)
		return 422, "{}"
	}
	a := data[0].(map[string]any)
	if !b.only("annotation", a, []string{"span_id", "name", "annotator_kind", "result"}, map[string]string{
		"span_id": "string", "name": "string", "annotator_kind": "string", "result": "map[string]interface {}",
		"metadata": "map[string]interface {}", "identifier": "string",
	}) {
		return 422, "{}"
	}
	result := a["result"].(map[string]any)
	b.only("result", result, nil, map[string]string{"label": "string", "score": "float64", "explanation": "string"})
	if len(result) == 0 || a["name"] == "note" || !slices.Contains([]any{"LLM", "CODE", "HUMAN"}, a["annotator_kind"]) {
		b.t.Errorf("annotation %v", a)
		return 400, "{}"
	}
	span := a["span_id"].(string)
	if b.unknown[span] {
		return 404, `{"detail":"Spans with IDs ` + span + ` do not exist."}`
	}
	b.taken[a["name"].(string)+" "+span+" "+a["identifier"].(string)] = a
	return 200, `{"data":[{"id":"x"}]}`
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// seen gives the calls so far.
func (b *backend) seen() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

func (b *backend) has() map[string]map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.taken)
}

func (b *backend) know(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.unknown, id)
}
