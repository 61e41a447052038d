package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"treq/telemetry"
)

func TestDataFormat(t *testing.T) {
	dir, quiet := t.TempDir(), slog.New(slog.DiscardHandler)
	if err := refuseNewer(filepath.Join(dir, "none")); err != nil {
		t.Errorf("a directory that is not there: %v", err)
	}
	if err := markFormat(dir, "v1.0.0", quiet); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, formatFile)
	content, err := os.ReadFile(path)
	if err != nil || string(content) != `{"format":1,"version":"v1.0.0"}`+"\n" {
		t.Errorf("%s %v", content, err)
	}
	// The version that made the directory stays, whoever starts in it.
	if err := markFormat(dir, "v1.1.0", quiet); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(content) {
		t.Errorf("%s %v", again, err)
	}
	later := `{"format":2,"version":"v9.0.0"}`
	if err := os.WriteFile(path, []byte(later), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"before": refuseNewer(dir), "under the lock": markFormat(dir, "v1.0.0", quiet)} {
		if telemetry.KindOf(err) != telemetry.Unsupported || !strings.Contains(err.Error(), "format 2, written by treq-telemetry v9.0.0") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadFile(path); err != nil || string(left) != later {
		t.Errorf("became %q (%v)", left, err)
	}
}

// TestDamagedFormat starts on a directory whose format cannot be read, and keeps the file.
func TestDamagedFormat(t *testing.T) {
	for _, text := range []string{`{"format":0}`, ``, "\x00\x00", `{"format":1,"version":"v1.`} {
		dir := t.TempDir()
		path := filepath.Join(dir, formatFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := refuseNewer(dir); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		var said strings.Builder
		if err := markFormat(dir, "v1.0.0", slog.New(slog.NewTextHandler(&said, nil))); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if !strings.Contains(said.String(), "damaged") || !strings.Contains(said.String(), path) {
			t.Errorf("%q: the log says %q", text, said.String())
		}
		if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != text {
			t.Errorf("%q: kept %q (%v)", text, kept, err)
		}
		if w, damaged, err := readFormat(dir); err != nil || damaged || w.Format != dataFormat {
			t.Errorf("%q: %+v, %v, %v", text, w, damaged, err)
		}
	}
}
