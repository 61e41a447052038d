package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
)

func TestShow(t *testing.T) {
	file := write(t, `
data_dir: /srv/treq
tokens: {ingest: [canary-1]}
chats: {entries: [{name: chat_endpoint}]}
sinks:
  - name: other
    endpoint: https://user:canary-2@example.com/v1/traces?key=canary-3
    headers: {X-Key: canary-4}
`)
	l := load(t, config.Sources{
		File:  file,
		Env:   environment(map[string]string{"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "canary-5", "TREQ_ACK": "memory"}),
		Flags: map[string]string{"listen": ":9000"},
	})
	var b strings.Builder
	if err := l.Show(&b); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(b.String(), file, "FILE")
	if strings.Contains(got, "canary") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	golden(t, "show.yaml", got)
}

// What is shown is a file that gives the same values.
func TestShowReadsBack(t *testing.T) {
	first := load(t, config.Sources{Flags: map[string]string{"otlp-grpc": "off", "journal-keep": "2d", "cors-origins": "http://a,http://b"}})
	var b strings.Builder
	if err := first.Show(&b); err != nil {
		t.Fatal(err)
	}
	again := load(t, config.Sources{File: write(t, b.String())})
	ignoreExplicit := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Explicit" }, cmp.Ignore())
	if diff := cmp.Diff(first.Config, again.Config, ignoreExplicit); diff != "" {
		t.Errorf("shown and read back (-first +again):\n%s\n%s", diff, b.String())
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
