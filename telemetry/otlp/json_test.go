package otlp

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry"
)

// pdata is the slow twin: what it makes of the same bytes is what ours must be.
type pdata interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
	MarshalJSON() ([]byte, error)
	MarshalProto() ([]byte, error)
}

type signal struct {
	fromJSON func(dst, body []byte) ([]byte, error)
	twin     func() pdata
}

var signals = map[string]signal{
	"traces":  {TracesFromJSON, func() pdata { return ptraceotlp.NewExportRequest() }},
	"logs":    {LogsFromJSON, func() pdata { return plogotlp.NewExportRequest() }},
	"metrics": {MetricsFromJSON, func() pdata { return pmetricotlp.NewExportRequest() }},
}

func TestExamplesFromJSONEqualPdata(t *testing.T) {
	examples := map[string]string{"trace.json": "traces", "logs.json": "logs", "events.json": "logs", "metrics.json": "metrics"}
	for file, name := range examples {
		t.Run(file, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", "otlp-examples", "examples", file))
			if err != nil {
				t.Fatal(err)
			}
			compareJSON(t, signals[name], body)
		})
	}
}

// compareJSON fails if the bytes made of body decode to something else than what
// pdata makes of body.
func compareJSON(t *testing.T, s signal, body []byte) {
	t.Helper()
	encoded, err := s.fromJSON(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := s.twin(), s.twin()
	if err := ours.UnmarshalProto(encoded); err != nil {
		t.Fatalf("what was made of the JSON does not decode: %v", err)
	}
	if err := theirs.UnmarshalJSON(body); err != nil {
		t.Fatalf("pdata refuses: %v", err)
	}
	if diff := cmp.Diff(asJSON(t, theirs), asJSON(t, ours)); diff != "" {
		t.Errorf("differs from pdata (-pdata +ours):\n%s", diff)
	}
}

func asJSON(t *testing.T, r pdata) string {
	t.Helper()
	b, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMetricsFromJSONEqualPdata(t *testing.T) {
	compareJSON(t, signals["metrics"], []byte(metricsJSON))
}

func TestRandomRequestsFromJSONEqualPdata(t *testing.T) {
	r := random{rand.New(rand.NewPCG(11, 12))}
	for range 300 {
		request := ptraceotlp.NewExportRequest()
		if err := request.UnmarshalProto(AppendTraceRequest(nil, r.resources()...)); err != nil {
			t.Fatal(err)
		}
		body := []byte(asJSON(t, request))
		compareJSON(t, signals["traces"], body)
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, body, "\t", " "); err != nil {
			t.Fatal(err)
		}
		compareJSON(t, signals["traces"], spaced.Bytes())
		logs := plogotlp.NewExportRequest()
		if err := logs.UnmarshalProto(r.logs()); err != nil {
			t.Fatal(err)
		}
		compareJSON(t, signals["logs"], []byte(asJSON(t, logs)))
		if t.Failed() {
			return
		}
	}
}

// recordedTraces are requests of real clients as OTLP/JSON, those that are short enough
// to be turned over thousands of times a second.
func recordedTraces(t testing.TB) (requests [][]byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "test", "recorded", "cases", "*", "request-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(body) < 6<<10 {
			requests = append(requests, body)
		}
	}
	if len(requests) < 10 {
		t.Fatalf("only %d recorded requests", len(requests))
	}
	return requests
}

func FuzzTracesFromJSON(f *testing.F) {
	for _, body := range recordedTraces(f) {
		f.Add(body)
	}
	r := random{rand.New(rand.NewPCG(13, 14))}
	for range 20 {
		f.Add(toJSON(AppendTraceRequest(nil, r.resources()...)))
	}
	f.Add([]byte(`{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"","kind":"SPAN_KIND_SERVER","flags":"7"}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) { agreeOnJSON(t, signals["traces"], CheckTraces, body) })
}

func FuzzMetricsFromJSON(f *testing.F) {
	f.Add([]byte(metricsJSON))
	f.Fuzz(func(t *testing.T, body []byte) { agreeOnJSON(t, signals["metrics"], CheckMetrics, body) })
}

// agreeOnJSON holds the transcoding to the grammar of JSON and, where both accept and
// no documented difference is in play, to pdata.
func agreeOnJSON[T any](t *testing.T, s signal, check func([]byte) (T, error), body []byte) {
	encoded, err := s.fromJSON(nil, body)
	theirs := s.twin()
	theirErr := theirs.UnmarshalJSON(body)
	if err != nil {
		if theirErr == nil && json.Valid(body) && telemetry.KindOf(err) != telemetry.TooLarge && !differs(body) {
			t.Errorf("pdata accepts what was refused: %v", err)
		}
		return
	}
	if !json.Valid(body) {
		t.Fatal("this is not JSON")
	}
	if _, err := check(encoded); err != nil && !strings.Contains(err.Error(), "an id of wrong length") {
		t.Fatalf("what was made of it is malformed: %v", err)
	}
	if theirErr == nil && !differs(body) {
		ours := s.twin()
		if err := ours.UnmarshalProto(encoded); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asJSON(t, theirs), asJSON(t, ours)); diff != "" {
			t.Errorf("differs from pdata (-pdata +ours):\n%s", diff)
		}
	}
}

// differs tells whether body holds what is documented to be read otherwise: null, an
// empty name (where pdata stops reading), or top-level values that are no object.
func differs(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return bytes.Contains(body, []byte("null")) || emptyName.Match(body) || len(trimmed) == 0 || trimmed[0] != '{'
}

var emptyName = regexp.MustCompile(`""\s*:`)
