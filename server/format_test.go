package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"treq/telemetry"
)

func TestDataFormat(t *testing.T) {
	dir := t.TempDir()
	if err := refuseNewer(filepath.Join(dir, "none")); err != nil {
		t.Errorf("a directory that is not there: %v", err)
	}
	if err := markFormat(dir, "v1.0.0"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, formatFile)
	content, err := os.ReadFile(path)
	if err != nil || string(content) != `{"format":1,"version":"v1.0.0"}`+"\n" {
		t.Errorf("%s %v", content, err)
	}
	// The version that made the directory stays, whoever starts in it.
	if err := markFormat(dir, "v1.1.0"); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(content) {
		t.Errorf("%s %v", again, err)
	}
	for text, want := range map[string]struct {
		kind  telemetry.Kind
		words string
	}{
		`{"format":2,"version":"v9.0.0"}`: {telemetry.Unsupported, "format 2, written by treq-telemetry v9.0.0"},
		`{"format":0}`:                    {telemetry.Internal, "does not say which format"},
		``:                                {telemetry.Internal, "does not say which format"},
		"\x00\x00":                        {telemetry.Internal, "does not say which format"},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{"before": refuseNewer(dir), "under the lock": markFormat(dir, "v1.0.0")} {
			if telemetry.KindOf(err) != want.kind || !strings.Contains(err.Error(), want.words) {
				t.Errorf("%q %s: %v", text, name, err)
			}
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != text {
			t.Errorf("%q became %q (%v)", text, left, err)
		}
	}
}
