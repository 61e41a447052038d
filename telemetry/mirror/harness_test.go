package mirror

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

func TestMain(m *testing.M) {
	// Each check of idempotence plays a life with a journal on disk: fewer of them
	// unless asked for more.
	if err := flag.Set("rapid.checks", "12"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

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
	select {
	case <-time.After(slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
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

// known is a resolver with runs that a test may add.
type known struct {
	mu   sync.Mutex
	runs map[string]Run
}

func (k *known) add(id string, r Run) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.runs == nil {
		k.runs = map[string]Run{}
	}
	k.runs[id] = r
}

// house is a mirror over a journal, on one directory over several lives. Its clock is
// that of a bubble.
type house struct {
	t       *testing.T
	dir     string
	options Options
	backend *backend
	runs    *known
	logs    *bytes.Buffer
	journal *journal.Journal
	mirror  *Mirror
}

// within runs a test in a bubble with a mirror to one sink.
func within(t *testing.T, sink Sink, test func(h *house)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, dir: dir, backend: newBackend(t), runs: &known{}, logs: &bytes.Buffer{}}
		sink.Name, sink.Base = "sink", "https://backend.example"
		if sink.Headers == nil {
			sink.Headers = map[string]telemetry.Secret{"x-api-key": telemetry.NewSecret("sealed-key")}
		}
		h.options = Options{
			Dir: dir, Sinks: []Sink{sink}, Resolver: h.runs, Version: "1.2.3", Instance: "me", Transport: h.backend,
			Logger: slog.New(slog.NewTextHandler(h.logs, nil)), Random: func() float64 { return 0.5 },
			Open: func(name string, from journal.Position) (Cursor, error) {
				return h.journal.NewCursor(name, from, false)
			},
		}
		var err error
		h.journal, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
			SegmentBytes: 64 << 10, RingBytes: 32 << 10, Ack: journal.Memory, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			h.stop()
			if err := h.journal.Close(); err != nil {
				t.Error(err)
			}
		}()
		h.start()
		test(h)
	})
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.mirror, err = New(h.options); err != nil {
		h.t.Fatal(err)
	}
	h.mirror.Start()
}

func (h *house) stop() {
	h.t.Helper()
	if err := h.mirror.Stop(h.t.Context()); err != nil {
		h.t.Error(err)
	}
}

// judge lets a judgement into the journal.
func (h *house) judge(j judgement.Judgement) judgement.Judgement {
	h.t.Helper()
	if j.Key == "" {
		j.Key = judgement.DefaultKey
	}
	if j.Source == "" {
		j.Source = judgement.FromAPI
	}
	if j.ID == "" {
		j.ID = judgement.ID(j.RunID, j.Key, j.Source)
	}
	j.Time = time.Now()
	_, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: journal.Posts, Door: "feedback", Items: 1, Body: judgement.Append(nil, &j)})
	if err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
	return j
}

func (h *house) status() Status {
	h.t.Helper()
	synctest.Wait()
	s, ok := h.mirror.Status("sink")
	if !ok {
		h.t.Fatal("the sink is not told")
	}
	if s.Judgements != s.Sent+s.Waiting+s.Replaced+s.DeadLettered {
		h.t.Errorf("the account does not balance: %+v", s)
	}
	return s
}

// pass lets time pass.
func (h *house) pass(d time.Duration) {
	time.Sleep(d) // of the bubble's clock
	synctest.Wait()
}

const (
	runA = "11111111-1111-4111-8111-111111111111"
	runB = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
)

func thumb(run string, score float64) judgement.Judgement {
	return judgement.Judgement{RunID: run, Scored: true, Score: score}
}
