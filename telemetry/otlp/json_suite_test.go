package otlp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"treq/telemetry"
)

// TestJSONSuite holds the JSON reading to the cases of JSONTestSuite, each as the
// value of a field that nobody knows.
func TestJSONSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "json-test-suite", "test_parsing", "*.json"))
	if err != nil || len(files) < 300 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		value, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		body := append([]byte(`{"unknown":`), value...)
		_, err = TracesFromJSON(nil, append(body, '}'))
		name := filepath.Base(file)
		switch {
		case strings.HasPrefix(name, "y_") && err != nil:
			t.Errorf("%s is refused: %v", name, err)
		case strings.HasPrefix(name, "n_") && err == nil:
			t.Errorf("%s is accepted", name)
		}
		if k := telemetry.KindOf(err); err != nil && k != telemetry.Invalid && k != telemetry.TooLarge {
			t.Errorf("%s: kind %d", name, k)
		}
		if _, err := TracesFromJSON(nil, value); err == nil && !strings.HasPrefix(strings.TrimSpace(string(value)), "{") {
			t.Errorf("%s is accepted as a request", name)
		}
	}
}
