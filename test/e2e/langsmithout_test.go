package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"treq/test/e2e/e2etest"
)

// recordingLangSmith keeps runs field by field as they stand after all that it was told,
// and attachments by the names of their parts.
type recordingLangSmith struct {
	mu       sync.Mutex
	runs     map[string]map[string]any
	attached map[string]string
	faults   []string
}

func newRecording() *recordingLangSmith {
	return &recordingLangSmith{runs: map[string]map[string]any{}, attached: map[string]string{}}
}

// ServeHTTP is LangSmith behind us.
func (l *recordingLangSmith) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/info" {
		fmt.Fprint(w, `{"instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true},"batch_ingest_config":{"size_limit":100,"size_limit_bytes":20971520}}`)
		return
	}
	body, _ := io.ReadAll(r.Body)
	l.take(r, body)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, "{}")
}

// take notes what a request says of runs.
func (l *recordingLangSmith) take(r *http.Request, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.read(r, body); err != nil {
		l.faults = append(l.faults, fmt.Sprintf("%s %s: %v", r.Method, r.URL.Path, err))
	}
}

func (l *recordingLangSmith) read(r *http.Request, body []byte) error {
	body, err := decompressed(r.Header.Get("Content-Encoding"), body)
	if err != nil {
		return err
	}
	switch {
	case r.URL.Path == "/runs/multipart":
		return l.multipart(r.Header.Get("Content-Type"), body)
	case r.URL.Path == "/runs/batch":
		var b struct{ Post, Patch []json.RawMessage }
		if err := json.Unmarshal(body, &b); err != nil {
			return err
		}
		for _, object := range append(b.Post, b.Patch...) {
			if err := l.object("", object); err != nil {
				return err
			}
		}
	case r.URL.Path == "/runs" && r.Method == http.MethodPost:
		return l.object("", body)
	case strings.HasPrefix(r.URL.Path, "/runs/") && r.Method == http.MethodPatch:
		return l.object(strings.TrimPrefix(r.URL.Path, "/runs/"), body)
	}
	return nil
}

// decompressed gives a body as it was before it was compressed.
func decompressed(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "zstd":
		z, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		return z.DecodeAll(body, nil)
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	return body, nil
}

func (l *recordingLangSmith) multipart(contentType string, body []byte) error {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]); ; {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return err
		}
		op, rest, _ := strings.Cut(p.FormName(), ".")
		id, field, isField := strings.Cut(rest, ".")
		switch {
		case op == "feedback":
		case op == "attachment":
			media, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
			l.attached[p.FormName()] = media + ": " + string(content)
		case isField:
			err = l.set(id, field, content)
		default:
			err = l.object(id, content)
		}
		if err != nil {
			return err
		}
	}
}

func (l *recordingLangSmith) object(id string, content []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil {
		return err
	}
	if id == "" {
		if err := json.Unmarshal(fields["id"], &id); err != nil {
			return err
		}
	}
	fields["id"], _ = json.Marshal(id)
	for name, value := range fields {
		if err := l.set(id, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (l *recordingLangSmith) set(id, field string, content []byte) error {
	var value any
	if err := json.Unmarshal(content, &value); err != nil || value == nil {
		return err
	}
	if l.runs[id] == nil {
		l.runs[id] = map[string]any{}
	}
	l.runs[id][field] = value
	return nil
}

// between stands between an SDK and the service and notes what LangSmith would have
// been told in its place. It gives its address.
func (l *recordingLangSmith) between(t *testing.T, service string) string {
	t.Helper()
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: service})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		l.take(r, body)
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		r.Host = service
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return strings.TrimPrefix(front.URL, "http://")
}

// TestLangSmithGetsTheSame puts a LangSmith behind the service and a note-taker before
// it: behind, every run stands field by field as the real SDKs told it in front.
func TestLangSmithGetsTheSame(t *testing.T) {
	t.Parallel()
	direct, behind := newRecording(), newRecording()
	backend := httptest.NewServer(behind)
	t.Cleanup(backend.Close)
	s := e2etest.Start(t, e2etest.Spec{Config: quick + "sinks:\n  - {name: langsmith, profile: langsmith, endpoint: \"" + backend.URL + "\", api_key: ours, delay: 20ms}\n"})
	front := direct.between(t, s.Addr)
	sdk := &e2etest.Server{Process: &e2etest.Process{Addr: front}}
	for _, generation := range generations {
		runPython(t, sdk, generation, "same-"+generation, "backend.py", "plain", "streamed", "empty", "failed")
		runPython(t, sdk, generation, "helpers-"+generation, "helpers.py")
		runPython(t, sdk, generation, "sdk-"+generation, append([]string{"sdk.py"}, waysOf(generation)...)...)
	}
	runPython(t, sdk, "0.3", "chains-0.3", "chain.py", "streamed", "tools")
	runPython(t, sdk, "0.15", "chains", "chain.py", "plain", "streamed", "tools", "graph", "graph_streamed", "agent", "agent_streamed")
	for _, mode := range []string{"LANGSMITH_RUN_COMPRESSION_LEVEL=1", "LANGSMITH_DISABLE_RUN_COMPRESSION=true", "LANGSMITH_DISABLE_MULTIPART_STREAMING=true"} {
		runNode(t, []string{"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=http://" + front, "LANGSMITH_API_KEY=of-the-app", "LANGSMITH_PROJECT=js", mode}, "native.mjs")
	}
	runNode(t, []string{"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=http://" + front, "LANGSMITH_API_KEY=of-the-app", "LANGSMITH_PROJECT=js-chains"}, "chain.mjs", "plain", "streamed", "graph")
	e2etest.Eventually(t, settled, func() error {
		direct.mu.Lock()
		defer direct.mu.Unlock()
		behind.mu.Lock()
		defer behind.mu.Unlock()
		if diff := cmp.Diff(direct.runs, behind.runs); diff != "" {
			return fmt.Errorf("runs (- as the SDKs told them, + as they came through):\n%.4000s", diff)
		}
		if diff := cmp.Diff(direct.attached, behind.attached); diff != "" {
			return fmt.Errorf("attachments (- as the SDKs told them, + as they came through):\n%s", diff)
		}
		return nil
	})
	for _, l := range []*recordingLangSmith{direct, behind} {
		if len(l.faults) > 0 {
			t.Error(l.faults)
		}
	}
	projects := map[string]int{}
	for _, run := range behind.runs {
		projects[fmt.Sprint(run["session_name"])]++
	}
	if len(behind.runs) < 200 || len(projects) < 13 || len(behind.attached) < 5 {
		t.Errorf("%d runs with %d attachments of the projects %v", len(behind.runs), len(behind.attached), slices.Sorted(maps.Keys(projects)))
	}
	var shown struct {
		Sinks []struct {
			Admitted int64 `json:"admitted_spans"`
			Sent     int64 `json:"sent_spans"`
			Queue    int64 `json:"queue_spans"`
		}
	}
	e2etest.Eventually(t, settled, func() error {
		s.JSON("/monitoring/sinks", &shown)
		sinks := shown.Sinks
		if len(sinks) != 1 || sinks[0].Admitted == 0 || sinks[0].Sent != sinks[0].Admitted || sinks[0].Queue != 0 {
			return fmt.Errorf("%+v", sinks)
		}
		return nil
	})
}
