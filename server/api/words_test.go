package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"treq/server/fault"
	"treq/telemetry/otlp"
)

func words(v otlp.Value) string {
	switch v.Type {
	case otlp.String:
		return string(v.Bytes)
	case otlp.Bool:
		return strconv.FormatBool(v.Num == 1)
	case otlp.Int:
		return strconv.FormatInt(v.Int(), 10)
	case otlp.Double:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64)
	}
	return "?"
}

func newRequest(path, query, contentType, body string) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.URL.RawQuery = query
	r.Header.Set("Content-Type", contentType)
	return r
}

func discard() http.ResponseWriter { return httptest.NewRecorder() }

// checkRefusal wants a 422 that is JSON and names every bad parameter once.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	w := httptest.NewRecorder()
	fault.WriteProblem(w, err)
	var document struct {
		Detail []struct {
			Type  string          `json:"type"`
			Loc   []any           `json:"loc"`
			Msg   string          `json:"msg"`
			Input json.RawMessage `json:"input"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil || w.Code != 422 || len(document.Detail) == 0 {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	seen := map[any]bool{}
	for _, d := range document.Detail {
		if len(d.Loc) != 2 || seen[d.Loc[1]] || d.Type == "" || d.Msg == "" || d.Input == nil {
			t.Errorf("%s", w.Body)
			continue
		}
		seen[d.Loc[1]] = true
	}
}

func countRecords(t *testing.T, b []byte) int {
	t.Helper()
	n, err := otlp.CheckLogs(b)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkProblem wants an RFC 9457 answer with this status and detail.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	var p struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Detail != detail || p.Title != http.StatusText(status) ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d %s %s, want %d %q", w.Code, w.Header().Get("Content-Type"), w.Body, status, detail)
	}
}
