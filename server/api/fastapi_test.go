package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recordedAnswer is a line of testdata/fastapi/answers.jsonl, which
// testdata/fastapi/record.py got from FastAPI itself.
type recordedAnswer struct {
	Path        string          `json:"path"`
	Query       string          `json:"query"`
	ContentType string          `json:"content_type"`
	Body        string          `json:"body"`
	Status      int             `json:"status"`
	Answer      json.RawMessage `json:"answer"`
}

func recordedAnswers(t testing.TB) []recordedAnswer {
	t.Helper()
	file, err := os.Open("testdata/fastapi/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []recordedAnswer
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a recordedAnswer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	if len(all) < 200 {
		t.Fatalf("only %d recorded answers: %v", len(all), lines.Err())
	}
	return all
}

// Callers of the guide's posts were written against FastAPI: status and document are its.
func TestPostsAnswerAsFastAPI(t *testing.T) {
	for _, a := range recordedAnswers(t) {
		name := a.Query + a.Body
		t.Run(name[:min(len(name), 80)], func(t *testing.T) {
			f := newFixture(t)
			target := a.Path
			if a.Query != "" {
				target += "?" + a.Query
			}
			var headers []string
			if a.ContentType != "" {
				headers = append(headers, "Content-Type: "+a.ContentType)
			}
			w := f.do("POST", target, a.Body, headers...)
			if w.Code != a.Status {
				t.Fatalf("status %d, FastAPI %d: %s\nFastAPI: %s", w.Code, a.Status, w.Body, a.Answer)
			}
			if a.Status == 200 {
				if got := w.Body.String(); got != `{"status":"recorded"}` {
					t.Errorf("answer %s", got)
				}
				compareValues(t, a)
				return
			}
			if len(f.log.entries) > 0 {
				t.Error("something was recorded of a post that was refused")
			}
			compareRefusal(t, a, w.Body.Bytes())
		})
	}
}

// compareValues compares how the parameters were read.
func compareValues(t *testing.T, a recordedAnswer) {
	r := httptest.NewRequest("POST", a.Path, strings.NewReader(a.Body))
	r.URL.RawQuery = a.Query
	r.Header.Set("Content-Type", a.ContentType)
	in, err := read(httptest.NewRecorder(), r)
	if err != nil {
		t.Fatal(err)
	}
	p := map[string]post{"/monitoring/chat/metrics": chatPost, "/monitoring/rag/metrics": ragPost, "/monitoring/llm/metrics": llmPost}[a.Path]
	f, err := parse(in, p.parameters)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for k, v := range f.bools {
		got[k] = v
	}
	for k, v := range f.numbers {
		got[k] = v
	}
	for k, v := range f.counts {
		got[k] = float64(v)
	}
	for k, v := range f.texts {
		got[k] = v
	}
	var want map[string]any
	if err := json.Unmarshal(a.Answer, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-FastAPI +got):\n%s", diff)
	}
}

// compareRefusal compares byte for byte what answers text parameters. Of a
// JSON body numbers are echoed as they were sent, where Python writes its own spelling; and
// what is wrong with a body that is no JSON is said in other words.
func compareRefusal(t *testing.T, a recordedAnswer, got []byte) {
	var want bytes.Buffer
	if err := json.Compact(&want, a.Answer); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.ContentType, "json") {
		if diff := cmp.Diff(want.String(), string(got)); diff != "" {
			t.Errorf("document (-FastAPI +got):\n%s", diff)
		}
		return
	}
	if diff := cmp.Diff(blur(t, want.Bytes()), blur(t, got)); diff != "" {
		t.Errorf("document (-FastAPI +got):\n%s", diff)
	}
}

func blur(t *testing.T, document []byte) any {
	var v struct {
		Detail []map[string]any `json:"detail"`
	}
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	for _, d := range v.Detail {
		if d["type"] == "json_invalid" {
			delete(d, "ctx")
			d["loc"] = d["loc"].([]any)[:1]
		}
	}
	return v
}
