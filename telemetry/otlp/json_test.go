package otlp

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
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
