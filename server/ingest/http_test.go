package ingest

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

// Every spelling of a door, every signal, both encodings, every compression.
func TestWhatComesInIsKept(t *testing.T) {
	metric := metricRequest()
	log := otlp.AppendLogsRequest(nil, nil, "s", otlp.LogData{Time: 1, EventName: "e"})
	for path, want := range map[string]*signal{
		"/v1/traces": traces, "/v1/traces/": traces, "//v1/traces": traces, "/v1/metrics": metrics, "/v1/logs": logs, "/v1/logs/": logs,
		"/": traces, "/otel": traces, "/otel/": traces, "/otel/v1/traces": traces, "/otel/v1/metrics": metrics, "/otel/v1/logs": logs,
		"/api/v1/otel": traces, "/api/v1/otel/v1/traces": traces, "/api/v1/otel/v1/traces/": traces,
	} {
		body := map[*signal][]byte{traces: spans(1), metrics: metric, logs: log}[want]
		for _, c := range []struct {
			encoding string
			wire     []byte
			kept     journal.Encoding
		}{
			{"", body, journal.Identity},
			{"identity", body, journal.Identity},
			{"gzip", gzipped(body), journal.Gzip},
			{"GZIP", append(gzipped(body[:3]), gzipped(body[3:])...), journal.Gzip},
			{"zstd", zstded(body), journal.Zstd},
			{"deflate", deflated(body), journal.Identity},
		} {
			log := &fakeLog{}
			i := New(Options{Log: log})
			w := call(i, path, c.wire, "Content-Type", protobuf, "Content-Encoding", c.encoding)
			if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != protobuf || w.Header().Get("Content-Length") != "0" {
				t.Errorf("%s %s: %d %v %q", path, c.encoding, w.Code, w.Header(), w.Body)
				continue
			}
			e := log.one(t)
			wantBody, wantDecoded := body, []byte(nil)
			if c.kept != journal.Identity {
				wantBody, wantDecoded = c.wire, body
			}
			if e.Kind != want.kind || e.Encoding != c.kept || e.Items != 1 || e.Door != "http" || e.Hash == [16]byte{} ||
				!bytes.Equal(e.Body, wantBody) || !bytes.Equal(e.Decoded, wantDecoded) {
				t.Errorf("%s %s: kept %+v", path, c.encoding, e)
			}
			checkIdle(t, i)
		}
	}
}

func TestJSONIsKeptAsProtobuf(t *testing.T) {
	for _, encoding := range []string{"", "gzip", "zstd", "deflate"} {
		for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
			log := &fakeLog{}
			i := New(Options{Log: log})
			w := call(i, "/v1/traces", compressed(encoding, []byte(jsonSpan)), "Content-Type", contentType, "Content-Encoding", encoding)
			if w.Code != 200 || w.Body.String() != "{}" || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%s: %d %v %s", encoding, w.Code, w.Header(), w.Body)
			}
			e := log.one(t)
			if c, err := otlp.CheckTraces(e.Body); err != nil || c.Spans != 1 || c.BadIDs != 0 || e.Encoding != journal.Identity || e.Decoded != nil {
				t.Errorf("%s: %+v %v, kept %+v", encoding, c, err, e)
			}
			checkIdle(t, i)
		}
	}
	for path, body := range map[string]string{
		"/v1/logs":    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1"}]}]}]}`,
		"/v1/metrics": `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","sum":{"dataPoints":[{"asInt":"1"}]}}]}]}]}`,
	} {
		log := &fakeLog{}
		if w := call(New(Options{Log: log}), path, []byte(body), "Content-Type", "application/json"); w.Code != 200 || log.one(t).Items != 1 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestEmptyRequestsAreASuccess(t *testing.T) {
	for _, c := range []struct{ contentType, body, want string }{
		{protobuf, "", ""},
		{protobuf, string(spans(0)), ""},
		{"application/json", "{}", "{}"},
		{"application/json", `{"resourceSpans":[]}`, "{}"},
	} {
		log := &fakeLog{}
		i := New(Options{Log: log})
		w := call(i, "/v1/traces", []byte(c.body), "Content-Type", c.contentType)
		if w.Code != 200 || w.Body.String() != c.want || len(log.entries) != 0 {
			t.Errorf("%q: %d %q, %d entries", c.body, w.Code, w.Body, len(log.entries))
		}
		checkIdle(t, i)
	}
}

func TestBadIDsAreCutOut(t *testing.T) {
	const message = "1 of 3 spans refused: an id of theirs is zero or of wrong length"
	mixed := spans(2, badSpan)
	for _, encoding := range []string{"", "gzip", "zstd", "deflate"} {
		log := &fakeLog{}
		i := New(Options{Log: log})
		w := call(i, "/v1/traces", compressed(encoding, mixed), "Content-Type", protobuf, "Content-Encoding", encoding)
		want := otlp.AppendResponse(nil, otlp.Partial{Rejected: 1, Message: message})
		if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("%s: %d %q", encoding, w.Code, w.Body)
		}
		e := log.one(t)
		if e.Items != 2 || e.Encoding != journal.Identity || !bytes.Equal(e.Body, otlp.CutTraces(nil, mixed)) {
			t.Errorf("%s: kept %+v", encoding, e)
		}
		if s := i.Stats()[0].Signals[0]; s.Partial != 1 || s.Items != 2 {
			t.Errorf("%+v", s)
		}
		checkIdle(t, i)
	}

	log := &fakeLog{}
	i := New(Options{Log: log})
	body := strings.Replace(jsonSpan, `"spans":[`, `"spans":[{"traceId":"01","spanId":"eee19b7ec3c1b174"},`, 1)
	w := call(i, "/v1/traces", []byte(body), "Content-Type", "application/json")
	if want := `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"1 of 2 spans refused: an id of theirs is zero or of wrong length"}}`; w.Code != 200 || w.Body.String() != want {
		t.Errorf("JSON: %d %s", w.Code, w.Body)
	}
	if e := log.one(t); e.Items != 1 {
		t.Errorf("JSON: kept %+v", e)
	}

	log = &fakeLog{}
	if w := call(New(Options{Log: log}), "/v1/traces", spans(0, badSpan), "Content-Type", protobuf); w.Code != 200 || w.Body.Len() == 0 || len(log.entries) != 0 {
		t.Errorf("nothing good: %d %q, %d entries", w.Code, w.Body, len(log.entries))
	}
}

// Every refusal is a google.rpc.Status in the request's encoding.
func TestRefusals(t *testing.T) {
	nested := otlp.Str("k", "v")
	for range 70 {
		nested = otlp.List("k", nested)
	}
	deep := spans(0, otlp.SpanData{TraceID: [16]byte{1}, SpanID: [8]byte{1}, Attributes: []otlp.KV{nested}})
	const max = 1 << 16
	large := spans(4000)
	tests := []struct {
		name, method, path, contentType, encoding string
		body                                      []byte
		log                                       error
		status                                    int
		code                                      int32
		reason                                    string
		headers                                   map[string]string
	}{
		{name: "not OTLP", path: "/v1/traces", body: []byte("\xff\xff\xff"), status: 400, code: 3, reason: "invalid"},
		{name: "truncated", path: "/v1/traces", body: spans(2)[:50], status: 400, code: 3, reason: "invalid"},
		{name: "not JSON", path: "/v1/logs", contentType: "application/json", body: []byte("{"), status: 400, code: 3, reason: "invalid"},
		{name: "not gzip", path: "/v1/traces", encoding: "gzip", body: spans(1), status: 400, code: 3, reason: "invalid"},
		{name: "truncated gzip", path: "/v1/traces", encoding: "gzip", body: gzipped(spans(9))[:40], status: 400, code: 3, reason: "invalid"},
		{name: "not zstd", path: "/v1/traces", encoding: "zstd", body: spans(1), status: 400, code: 3, reason: "invalid"},
		{name: "not deflate", path: "/v1/traces", encoding: "deflate", body: []byte("\xff\xff\xff\xff"), status: 400, code: 3, reason: "invalid"},
		{name: "nested too deep", path: "/v1/traces", body: deep, status: 413, code: 8, reason: "too_large"},
		{name: "announced too large", path: "/v1/traces", body: large, status: 413, code: 8, reason: "too_large"},
		{name: "too large after decompression", path: "/v1/traces", encoding: "gzip", body: gzipped(large), status: 413, code: 8, reason: "too_large"},
		{name: "too large a JSON", path: "/v1/traces", contentType: "application/json", body: bytes.Repeat([]byte(" "), max+1), status: 413, code: 8, reason: "too_large"},
		{name: "wrong content type", path: "/v1/traces", contentType: "text/plain", status: 415, code: 12, reason: "unsupported", headers: map[string]string{"Accept-Encoding": "gzip, zstd, deflate, identity"}},
		{name: "no content type", path: "/v1/traces", contentType: "-", status: 415, code: 12, reason: "unsupported"},
		{name: "wrong encoding", path: "/v1/traces", encoding: "br", body: spans(1), status: 415, code: 12, reason: "unsupported"},
		{name: "two encodings", path: "/v1/traces", encoding: "gzip, gzip", body: spans(1), status: 415, code: 12, reason: "unsupported"},
		{name: "GET", method: "GET", path: "/v1/traces", status: 405, code: 12, reason: "other", headers: map[string]string{"Allow": "POST"}},
		{name: "HEAD", method: "HEAD", path: "/v1/metrics", status: 405, code: 12, reason: "other", headers: map[string]string{"Allow": "POST"}},
		{name: "no door", path: "/v1/profiles", body: spans(1), status: 404, code: 5, reason: "other"},
		{name: "no room", path: "/v1/traces", body: spans(1), log: noRoom(), status: 503, code: 14, reason: "no_room", headers: map[string]string{"Retry-After": "7"}},
		{
			name: "no room, and the log says for how long", path: "/v1/traces", body: spans(1),
			log:    &telemetry.Error{Kind: telemetry.Unavailable, Message: "full", RetryAfter: 20 * time.Second},
			status: 503, code: 14, reason: "no_room", headers: map[string]string{"Retry-After": "20"},
		},
		{name: "too fast", path: "/v1/traces", body: spans(1), log: telemetry.Errorf(telemetry.Overloaded, "slow down"), status: 429, code: 8, reason: "no_room", headers: map[string]string{"Retry-After": "2"}},
		{name: "given up", path: "/v1/traces", body: spans(1), log: context.Canceled, status: 503, code: 14, reason: "no_room", headers: map[string]string{"Retry-After": "2"}},
		{name: "a fault of ours", path: "/v1/traces", body: spans(1), log: errors.New("secret"), status: 500, code: 13, reason: "internal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := &fakeLog{err: tt.log}
			i := New(Options{Log: log, MaxRequestBytes: max, RetryAfter: 7 * time.Second})
			r := httptest.NewRequest("POST", tt.path, bytes.NewReader(tt.body))
			if tt.method != "" {
				r.Method = tt.method
			}
			asJSON := tt.contentType != ""
			if tt.contentType == "" {
				tt.contentType = protobuf
			}
			r.Header.Set("Content-Type", strings.Trim(tt.contentType, "-"))
			r.Header.Set("Content-Encoding", tt.encoding)
			w := httptest.NewRecorder()
			i.HTTP().ServeHTTP(w, r)
			checkStatus(t, w, tt.status, tt.code, asJSON)
			for name, value := range tt.headers {
				if w.Header().Get(name) != value {
					t.Errorf("%s: %q, want %q", name, w.Header().Get(name), value)
				}
			}
			if tt.log == nil && len(log.entries) > 0 {
				t.Error("something was kept")
			}
			for reason, n := range i.Stats()[0].Refused {
				if (n == 1) != (reason == tt.reason) {
					t.Errorf("refused %s: %d, want %s", reason, n, tt.reason)
				}
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("told the client: %s", w.Body)
			}
			checkIdle(t, i)
		})
	}
}

// checkStatus wants a google.rpc.Status with words in it.
func checkStatus(t *testing.T, w *httptest.ResponseRecorder, status int, code int32, asJSON bool) {
	t.Helper()
	var s spb.Status
	var err error
	contentType := protobuf
	if asJSON {
		contentType = "application/json"
		err = protojson.Unmarshal(w.Body.Bytes(), &s)
	} else {
		err = proto.Unmarshal(w.Body.Bytes(), &s)
	}
	if w.Code != status || err != nil || w.Header().Get("Content-Type") != contentType || s.Code != code || s.Message == "" {
		t.Errorf("%d %v %v %v, want %d and code %d", w.Code, w.Header(), err, &s, status, code)
	}
}

func TestServes(t *testing.T) {
	tests := []struct {
		method, path, contentType string
		want                      bool
	}{
		{"POST", "/v1/traces", "", true},
		{"GET", "/v1/traces", "", true},
		{"POST", "/otel/", "", true},
		{"POST", "/", protobuf, true},
		{"POST", "/", "application/json", true},
		{"POST", "/", "text/plain", false},
		{"GET", "/", protobuf, false},
		{"POST", "/v1", protobuf, false},
		{"POST", "/v1/traces/x", protobuf, false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.Header.Set("Content-Type", tt.contentType)
		if Serves(r) != tt.want {
			t.Errorf("%s %s %s: %v", tt.method, tt.path, tt.contentType, !tt.want)
		}
	}
}

func TestRouteHeadersAreKept(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log})
	call(i, "/otel/v1/traces", spans(1), "Content-Type", protobuf, "Langsmith-Project", "treq-assistente", "x-tenant-id", "w1", "x-api-key", "ls-any")
	if e := log.one(t); e.Project != "treq-assistente" || e.Tenant != "w1" {
		t.Errorf("%+v", e)
	}
	w := call(i, "/v1/traces", spans(2), "Content-Type", protobuf, "Langsmith-Project", strings.Repeat("p", 257))
	checkStatus(t, w, 400, 3, false)
}
