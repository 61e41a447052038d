package scaleout

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"treq/server/config"
	"treq/telemetry"
)

var update = flag.Bool("update", false, "write the golden files")

// cases are the fleets whose files are kept as golden files.
var cases = map[string]Options{
	"prometheus":      {Replicas: 3},
	"kafka-mimir":     {Replicas: 2, Kafka: []string{"kafka-1:9092", "kafka-2:9092"}, Metrics: Mimir},
	"victoriametrics": {Replicas: 2, Metrics: VictoriaMetrics},
}

// settings are those of a process that has secrets.
func settings(t *testing.T) config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "treq.yaml")
	text := "tokens: { ingest: [ canary-in ], api: [ canary-read ] }\n" +
		"sinks:\n  - { name: langsmith, profile: langsmith, endpoint: https://api.smith.langchain.com/otel/v1/traces, api_key: canary-key, headers: { X-Key: canary-header } }\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := config.Load(config.Sources{File: file, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return l.Config
}

// TestFiles compares them with what is kept, reads each, and finds no secret.
func TestFiles(t *testing.T) {
	for name, o := range cases {
		files, err := Files(settings(t), o)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join("testdata", name)
		if *update {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range files {
			path := filepath.Join(dir, f.Path)
			if *update {
				if err := os.WriteFile(path, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(f.Data)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
			if bytes.Contains(f.Data, []byte("canary")) {
				t.Errorf("%s holds a secret", path)
			}
			if strings.HasSuffix(f.Path, ".yaml") || strings.HasSuffix(f.Path, ".yml") {
				var any map[string]any
				if err := yaml.Load(f.Data, &any); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
		kept, err := os.ReadDir(dir)
		if err != nil || len(kept) != len(files) {
			t.Errorf("%s keeps %d files, %d are written (%v)", dir, len(kept), len(files), err)
		}
	}
}

// TestReplicasTakeTheirFile reads the replicas' settings as a replica does, with the
// variables of .env.example.
func TestReplicasTakeTheirFile(t *testing.T) {
	for name, o := range cases {
		files, err := Files(settings(t), o)
		if err != nil {
			t.Fatal(err)
		}
		env := map[string]string{}
		path := filepath.Join(t.TempDir(), "treq.yaml")
		for _, f := range files {
			switch f.Path {
			case ".env.example":
				for line := range strings.Lines(string(f.Data)) {
					if key, _, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
						env[key] = "filled-" + key
					}
				}
			case "treq.yaml":
				if err := os.WriteFile(path, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		l, err := config.Load(config.Sources{File: path, Env: func(key string) string { return env[key] }})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c := l.Config
		if c.Scope != config.ScopeFleet || len(c.Fleet.Peers) != o.Replicas || c.History.URL == "" || c.History.RemoteWrite.URL == "" {
			t.Errorf("%s: %v %+v", name, c.Scope, c.Fleet)
		}
		if len(c.Sinks) != 1 || !strings.HasPrefix(c.Sinks[0].APIKey.Reveal(), "filled-") || !strings.HasPrefix(c.Tokens.Ingest[0].Reveal(), "filled-") || c.Fleet.Token.IsZero() {
			t.Errorf("%s: secrets did not reach the replica", name)
		}
	}
}

func TestWhatNoFleetIs(t *testing.T) {
	for _, o := range []Options{{Replicas: 1}, {Replicas: 1000}, {Replicas: 2, Metrics: "graphite"}, {Replicas: 2, Kafka: []string{"kafka"}}} {
		if _, err := Files(config.Defaults(), o); telemetry.KindOf(err) != telemetry.Invalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestGatewaysTakeNoMoreThanReplicas holds every door of the Collectors to the limit of
// the replicas: what these refuse a queue drops, and it was acknowledged.
func TestGatewaysTakeNoMoreThanReplicas(t *testing.T) {
	const mib = 1 << 20
	doors := regexp.MustCompile(`(max_recv_msg_size_mib|max_request_body_size): ([0-9]+)`)
	for limit, want := range map[config.Size]int{64 * mib: 64 * mib, 16 * mib: 16 * mib, 2*mib - 1: mib, 1 << 40: 64 * mib} {
		for _, o := range cases {
			c := config.Defaults()
			c.Limits.MaxRequestBytes = limit
			files, err := Files(c, o)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, f := range files {
				for _, door := range doors.FindAllSubmatch(f.Data, -1) {
					got, _ := strconv.Atoi(string(door[2]))
					if string(door[1]) == "max_recv_msg_size_mib" {
						got *= mib
					}
					if found++; got != want {
						t.Errorf("replicas take %s, a door of %s %d bytes", limit, f.Path, got)
					}
				}
			}
			if found != 2+o.Replicas {
				t.Errorf("%d doors have a limit, want %d", found, 2+o.Replicas)
			}
		}
	}
	c := config.Defaults()
	c.Limits.MaxRequestBytes = mib - 1
	if _, err := Files(c, Options{Replicas: 2}); telemetry.KindOf(err) != telemetry.Invalid {
		t.Errorf("less than a gateway can be held to: %v", err)
	}
}
