package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/test/recorded"
)

const (
	runA = "01a205b0-1000-708a-bded-4459b039fe0e"
	runB = "01a205b0-114e-7b62-95fd-14395b4fb57f"
)

// parts makes a multipart body of names and contents by pairs.
func parts(boundary string, pairs ...string) []byte {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\nContent-Type: application/json\r\n\r\n%s\r\n", boundary, pairs[i], pairs[i+1])
	}
	b.WriteString("--" + boundary + "--\r\n")
	return []byte(b.String())
}

func object(id string) string { return `{"id":"` + id + `","name":"n","run_type":"chain"}` }

// detail gives what an answer says is wrong.
func detail(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var p struct{ Detail string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return p.Detail
}

// What real SDKs sent is kept in the bytes it came in, under every address and
// encoding, and answered as LangSmith answers.
func TestRecordedRunsAreKept(t *testing.T) {
	for _, c := range recorded.Load(t) {
		for n, sent := range c.Native {
			if !strings.HasPrefix(sent.Path, "/runs") {
				continue
			}
			want, err := langsmith.Read(sent.Body)
			if err != nil {
				t.Fatalf("%s/%d: %v", c.Name, n, err)
			}
			for _, prefix := range []string{"", "/api/v1"} {
				for _, encoding := range []string{"", "gzip", "zstd"} {
					log := &fakeLog{}
					i := New(Options{Log: log})
					body := compressed(encoding, sent.Body)
					w := call(i, prefix+sent.Path, body, "Content-Type", sent.ContentType, "Content-Encoding", encoding, "X-Tenant-Id", "w")
					if w.Code != http.StatusAccepted || w.Body.String() != `{"message":"Accepted"}` {
						t.Fatalf("%s: %d %s", c.Name, w.Code, w.Body)
					}
					e := log.one(t)
					if e.Kind != journal.Runs || e.Door != "langsmith" || e.Tenant != "w" || int(e.Items) != want.Items() || !bytes.Equal(e.Body, body) {
						t.Errorf("%s: kind %d, door %s, %d items of %d, %d bytes of %d", c.Name, e.Kind, e.Door, e.Items, want.Items(), len(e.Body), len(body))
					}
					checkIdle(t, i)
				}
			}
		}
	}
}

func TestAddressesOfRuns(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log})
	for n, one := range []struct {
		method, path, contentType, body string
		want                            langsmith.ID
		patch                           bool
	}{
		{"POST", "/runs/multipart", "multipart/form-data; boundary=b", string(parts("b", "post."+runA, object(runA))), must(runA), false},
		{"POST", "/api/v1/runs/batch", "application/json", `{"post":[` + object(runA) + `]}`, must(runA), false},
		{"POST", "/runs", "application/json", " " + object(runA), must(runA), false},
		{"POST", "//api/v1/runs/", "application/json; charset=utf-8", object(runB), must(runB), false},
		{"PATCH", "/runs/" + runA, "application/json", `{"end_time":"2026-11-22T23:55:54Z"}`, must(runA), true},
		// The same words about another run are another request.
		{"PATCH", "/api/v1/runs/" + runB, "", `{"end_time":"2026-11-22T23:55:54Z"}`, must(runB), true},
	} {
		r := httptest.NewRequest(one.method, one.path, strings.NewReader(one.body))
		r.Header.Set("Content-Type", one.contentType)
		if !Serves(r) {
			t.Errorf("%s %s is not served", one.method, one.path)
		}
		w := httptest.NewRecorder()
		i.HTTP().ServeHTTP(w, r)
		if w.Code != http.StatusAccepted || len(log.entries) != n+1 {
			t.Fatalf("%s %s: %d %s, %d entries", one.method, one.path, w.Code, w.Body, len(log.entries))
		}
		kept, err := langsmith.Read(log.entries[n].Body)
		if err != nil || len(kept.Ops) != 1 || kept.Ops[0].ID != one.want || kept.Ops[0].Patch != one.patch {
			t.Errorf("%s %s kept %s: %v", one.method, one.path, log.entries[n].Body, err)
		}
	}
	// A client that got no answer sends the same again.
	w := call(i, "/runs", []byte(" "+object(runA)), "Content-Type", "application/json")
	if w.Code != http.StatusAccepted || len(log.entries) != 6 {
		t.Errorf("again: %d, %d entries", w.Code, len(log.entries))
	}
	for path, method := range map[string]string{"/runs/" + runA: "GET", "/runs/query/x": "POST", "/runsx": "POST", "/datasets": "POST"} {
		if Serves(httptest.NewRequest(method, path, nil)) {
			t.Errorf("%s %s is served", method, path)
		}
	}
}

func must(text string) langsmith.ID {
	id, err := langsmith.ParseID(text)
	if err != nil {
		panic(err)
	}
	return id
}

// The answer names the part that has a fault. What is sound beside it is kept, as
// many operations as kept says.
func TestBadRunsAreNamed(t *testing.T) {
	const multipart, batch = "/runs/multipart", "/runs/batch"
	form := func(pairs ...string) string { return string(parts("b", pairs...)) }
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	for name, one := range map[string]struct {
		path, body string
		status     int
		says       string
		kept       uint32
	}{
		"no JSON":                {multipart, form("post."+runA, object(runA), "post."+runA+".inputs", "{"), 422, "post." + runA + ".inputs: it is no JSON", 1},
		"another's id":           {multipart, form("post."+runA, object(runB)), 422, "post." + runA, 0},
		"no id":                  {multipart, form("post.1", "{}"), 422, `post.1: "1" is no UUID`, 0},
		"a part of nothing":      {multipart, form("outputs", "{}"), 422, `"outputs" is none of`, 0},
		"a field of no run":      {multipart, form("post."+runA, object(runA), "post."+runB+".inputs", "{}"), 422, "post." + runB + ".inputs comes before the run", 1},
		"a field that is none":   {multipart, form("post."+runA, object(runA), "post."+runA+".secrets", "{}"), 422, "names no field", 1},
		"a type":                 {multipart, form("post."+runA, `{"name":7}`), 422, "its name may not be a JSON number", 0},
		"a parent":               {multipart, form("post."+runA, `{"parent_run_id":"x"}`), 422, "parent_run_id", 0},
		"too deep":               {multipart, form("post."+runA, object(runA), "post."+runA+".inputs", deep), 413, "nests deeper than 500", 1},
		"a judgement":            {multipart, form("feedback."+runA, `{"key":"k"}`), 422, "feedback." + runA, 0},
		"cut off":                {multipart, strings.TrimSuffix(form("post."+runA, object(runA)), "--b--\r\n"), 400, "cut off", 0},
		"another boundary":       {multipart, string(parts("c", "post."+runA, object(runA))), 400, "does not begin with the boundary", 0},
		"nothing":                {multipart, "", 400, "boundary", 0},
		"a batch of none":        {batch, `[]`, 422, "the batch", 0},
		"a batch without an id":  {batch, `{"post":[{"name":"n"}]}`, 422, "post 0: it has no id", 0},
		"a batch's second patch": {batch, `{"patch":[` + object(runA) + `,{"id":"x"}]}`, 422, "patch 1", 1},
		"multipart as a batch":   {batch, form("post."+runA, object(runA)), 400, "no JSON object", 0},
		"a run of none":          {"/runs", "7", 422, "post 0", 0},
	} {
		log := &fakeLog{}
		i := New(Options{Log: log})
		contentType := "application/json"
		if one.path == multipart {
			contentType = "multipart/form-data; boundary=b"
		}
		w := call(i, one.path, []byte(one.body), "Content-Type", contentType)
		if w.Code != one.status || !strings.Contains(detail(t, w), one.says) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		kept := uint32(0)
		for _, e := range log.entries {
			if kept = e.Items; one.kept == 0 {
				break
			}
			if r, err := langsmith.Read(e.Body); err != nil || r.Items() != int(one.kept) {
				t.Errorf("%s: %q was kept, %v", name, e.Body, err)
			}
		}
		if kept != one.kept {
			t.Errorf("%s: %d were kept, not %d", name, kept, one.kept)
		}
		stats := i.Stats()[2]
		refused := stats.Refused["other"] + stats.Refused["invalid"] + stats.Refused["too_large"]
		if wantRefused := uint64(1 - min(one.kept, 1)); refused != wantRefused || stats.Signals[0].Partial != 1-wantRefused {
			t.Errorf("%s: %+v", name, stats)
		}
		checkIdle(t, i)
	}
}

// What some SDKs call JSON is taken in every address and encoding, and costs nothing.
func TestNumbersThatAreNone(t *testing.T) {
	run := `{"id":"` + runA + `","name":"NaN","extra":{"a":NaN,"b":[-Infinity,Infinity]}}`
	for _, one := range []struct{ path, body, encoding string }{
		{"/runs/multipart", string(parts("b", "post."+runA, object(runA), "post."+runA+".inputs", `{"x":NaN}`)), ""},
		{"/runs/multipart", string(parts("b", "post."+runA, run)), "zstd"},
		{"/runs/batch", `{"post":[` + run + `]}`, "gzip"},
		{"/runs", run, ""},
	} {
		log := &fakeLog{}
		i := New(Options{Log: log})
		contentType := "application/json"
		if one.path == "/runs/multipart" {
			contentType = "multipart/form-data; boundary=b"
		}
		w := call(i, one.path, compressed(one.encoding, []byte(one.body)), "Content-Type", contentType, "Content-Encoding", one.encoding)
		if w.Code != http.StatusAccepted || len(log.entries) != 1 || log.entries[0].Items != 1 {
			t.Fatalf("%s %s: %d %s", one.path, one.body, w.Code, w.Body)
		}
		if _, err := langsmith.Read(log.entries[0].Body); err != nil {
			t.Errorf("%q: %v", log.entries[0].Body, err)
		}
		checkIdle(t, i)
	}
}

func TestRunsThatAreRefused(t *testing.T) {
	good := parts("b", "post."+runA, object(runA))
	headers := []string{"Content-Type", "multipart/form-data; boundary=b"}
	log := &fakeLog{err: noRoom()}
	i := New(Options{Log: log, MaxRequestBytes: 4 << 10})
	// The SDKs wait for as long as 429 tells them; 503 they count as a fault.
	w := call(i, "/runs/multipart", good, headers...)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("no room: %d %v", w.Code, w.Header())
	}
	log.err = nil
	if w := call(i, "/runs/multipart", good, "Content-Type", "text/plain"); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("text: %d %s", w.Code, w.Body)
	}
	if w := call(i, "/runs/multipart", good, append(headers, "Content-Encoding", "br")...); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("brotli: %d %s", w.Code, w.Body)
	}
	bomb := parts("b", "post."+runA, object(runA), "post."+runA+".inputs", `"`+strings.Repeat("a", 1<<20)+`"`)
	for _, encoding := range []string{"", "gzip", "zstd"} {
		w := call(i, "/runs/multipart", compressed(encoding, bomb), append(headers, "Content-Encoding", encoding)...)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("too large, %q: %d %s", encoding, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/runs/multipart", nil)
	rec := httptest.NewRecorder()
	i.HTTP().ServeHTTP(rec, r)
	if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", rec.Code, rec.Header())
	}
	guarded := New(Options{Log: &fakeLog{}, Tokens: tokens(telemetry.NewSecret("geheim")), Instance: "me"})
	if w := call(guarded, "/runs/multipart", good, headers...); w.Code != http.StatusUnauthorized {
		t.Errorf("without a key: %d", w.Code)
	}
	if w := call(guarded, "/runs/multipart", good, append(headers, "X-Api-Key", "geheim")...); w.Code != http.StatusAccepted {
		t.Errorf("with the key: %d %s", w.Code, w.Body)
	}
	if w := call(guarded, "/runs/multipart", good, append(headers, "X-Api-Key", "geheim", "Treq-Hop", "me")...); w.Code != http.StatusBadRequest {
		t.Errorf("our own request: %d %s", w.Code, w.Body)
	}
	if s := guarded.Stats()[2]; s.Refused["unauthenticated"] != 1 || s.Refused["loop"] != 1 || s.Signals[0].Items != 1 {
		t.Errorf("%+v", s)
	}
	checkIdle(t, i)
}

// Python's SDK takes every one of these from the document, and ends its sending
// where one is missing.
func TestInfo(t *testing.T) {
	i := New(Options{Log: nullLog{}, Tokens: tokens(telemetry.NewSecret("geheim")), MaxRequestBytes: 8 << 20})
	for _, path := range []string{"/info", "/api/v1/info"} {
		w := httptest.NewRecorder()
		i.HTTP().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		want := map[string]any{
			"version": "0.17.12", "license_expiration_time": nil,
			"instance_flags": map[string]any{
				"zstd_compression_enabled": true, "gzip_body_enabled": true,
				"dataset_examples_multipart_enabled": false, "ch_query_enabled": false,
			},
			"batch_ingest_config": map[string]any{
				"use_multipart_endpoint": true, "size_limit": 100.0, "size_limit_bytes": float64(8 << 20),
				"scale_up_qsize_trigger": 1000.0, "scale_up_nthreads_limit": 16.0, "scale_down_nempty_trigger": 4.0,
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Where newer SDKs ask for a run's page, it is the dashboard's.
func TestPageOfARun(t *testing.T) {
	i := New(Options{Log: nullLog{}, Tokens: tokens(telemetry.NewSecret("geheim"))})
	for _, one := range []struct {
		method, path, key, scheme string
		status                    int
		says                      string
	}{
		{"GET", "/api/v2/runs/" + runA + "/url?project_id=" + runB, "geheim", "", 200, `{"url":"http://treq.test:8002/#/runs/` + runA + `"}`},
		{"GET", "//api/v2/runs/" + strings.ToUpper(runA) + "/url/", "geheim", "https", 200, `{"url":"https://treq.test:8002/#/runs/` + runA + `"}`},
		{"GET", "/api/v2/runs/x/url", "geheim", "", 422, "no UUID"},
		{"GET", "/api/v2/runs/" + runA + "/url", "", "", 401, ""},
		{"POST", "/api/v2/runs/" + runA + "/url", "geheim", "", 405, ""},
		{"GET", "/api/v2/runs/" + runA, "geheim", "", 404, ""},
	} {
		r := httptest.NewRequest(one.method, one.path, nil)
		r.Host = "treq.test:8002"
		r.Header.Set("X-Api-Key", one.key)
		r.Header.Set("X-Forwarded-Proto", one.scheme)
		w := httptest.NewRecorder()
		i.HTTP().ServeHTTP(w, r)
		if w.Code != one.status || !strings.Contains(w.Body.String(), one.says) || Serves(r) != (one.status != 404) {
			t.Errorf("%s %s: %d %s, served %v", one.method, one.path, w.Code, w.Body, Serves(r))
		}
	}
	checkIdle(t, i)
}

func TestSessions(t *testing.T) {
	i := New(Options{Log: nullLog{}, Tokens: tokens(telemetry.NewSecret("geheim"))})
	get := func(path string) (list []map[string]any) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("X-Api-Key", "geheim")
		w := httptest.NewRecorder()
		i.HTTP().ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return list
	}
	one, again := get("/sessions?name=loja&limit=1"), get("/api/v1/sessions?limit=1&name=loja")
	if diff := cmp.Diff(one, again); diff != "" || len(one) != 1 || one[0]["name"] != "loja" {
		t.Errorf("%v\n%s", one, diff)
	}
	other := get("/sessions?limit=1")
	if other[0]["name"] != "default" || other[0]["id"] == one[0]["id"] || other[0]["tenant_id"] != one[0]["tenant_id"] {
		t.Errorf("%v", other)
	}
	for _, id := range []any{one[0]["id"], one[0]["tenant_id"]} {
		if _, err := langsmith.ParseID(id.(string)); err != nil {
			t.Error(err)
		}
	}
	w := httptest.NewRecorder()
	i.HTTP().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sessions", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("without a key: %d", w.Code)
	}
}
