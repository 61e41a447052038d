package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
	"treq/telemetry/instrument"
	"treq/telemetry/understand"
)

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "treq.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, src config.Sources) config.Loaded {
	t.Helper()
	if src.Env == nil {
		src.Env = environment(nil)
	}
	l, err := config.Load(src)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return l
}

func TestNothingToldGivesDefaults(t *testing.T) {
	got := load(t, config.Sources{}).Config
	for name, pair := range map[string][2]string{
		"listen":    {got.Listen.HostPort, "127.0.0.1:8002"},
		"otlp.http": {got.OTLP.HTTP.HostPort, "127.0.0.1:4318"},
		"otlp.grpc": {got.OTLP.GRPC.HostPort, "127.0.0.1:4317"},
		"data_dir":  {got.DataDir, "./data"},
		"ack":       {string(got.Ack), "fsync"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %q, want %q", name, pair[0], pair[1])
		}
	}
	if got.Listen.Explicit || got.OTLP.HTTP.Explicit {
		t.Error("an address nobody asked for is explicit")
	}
	if got.Exposed() {
		t.Error("the defaults can be reached from other machines")
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "listen: 127.0.0.1:1\n")
	env := map[string]string{}
	flags := map[string]string{}
	listen := func() string {
		return load(t, config.Sources{File: file, Env: environment(env), Flags: flags}).Config.Listen.HostPort
	}
	for _, step := range []struct {
		add  func()
		want string
	}{
		{func() {}, "127.0.0.1:1"},
		{func() { env["PORT"] = "2" }, ":2"},
		{func() { env["TREQ_LISTEN"] = "127.0.0.1:3" }, "127.0.0.1:3"},
		{func() { flags["listen"] = "127.0.0.1:4" }, "127.0.0.1:4"},
	} {
		step.add()
		if got := listen(); got != step.want {
			t.Errorf("listen = %q, want %q", got, step.want)
		}
	}
}

func TestStandardPortsFollowTheHost(t *testing.T) {
	c := load(t, config.Sources{Flags: map[string]string{"listen": "[::1]:9000", "otlp-grpc": ""}}).Config
	if got, want := c.OTLP.HTTP, (config.Address{HostPort: "[::1]:4318"}); got != want {
		t.Errorf("otlp.http = %+v, want %+v", got, want)
	}
	if !c.OTLP.GRPC.Off() {
		t.Errorf("otlp.grpc = %v after --otlp-grpc=, want off", c.OTLP.GRPC)
	}
	if c = load(t, config.Sources{Env: environment(map[string]string{"PORT": "10000"})}).Config; !c.Exposed() {
		t.Error("PORT alone does not open every interface")
	}
}

func TestFile(t *testing.T) {
	file := write(t, `
listen: :9002
otlp: {http: off, grpc: "127.0.0.1:0"}
data_dir: /var/lib/${NAME:-treq}
ack: memory
journal:
  keep: 2d
  max_bytes: 1GiB
chats:
  preset: treq
  bare_llm: no
  entries: [{service: api, name: "POST /chat"}]
  close: {root: 100ms}
families:
  - {name: mini, match: [mini]}
tokens:
  ingest: ["${TOKEN}"]
limits: {max_request_bytes: "${SIZE}"}
cors_origins: [http://localhost:3000]
`)
	c := load(t, config.Sources{File: file, Env: environment(map[string]string{"TOKEN": "s3cret", "SIZE": "2MiB"})}).Config
	want := config.Defaults()
	want.Listen = config.Address{HostPort: ":9002", Explicit: true}
	want.OTLP.HTTP = config.Address{Explicit: true}
	want.OTLP.GRPC = config.Address{HostPort: "127.0.0.1:0", Explicit: true}
	want.DataDir = "/var/lib/treq"
	want.Ack = config.AckMemory
	want.Journal.Keep = config.Duration(48 * 3600e9)
	want.Journal.MaxBytes = 1 << 30
	want.Chats.Preset = "treq"
	want.Chats.BareLLM = false
	want.Chats.Entries = []config.SpanRule{{Service: "api", Name: "POST /chat"}}
	want.Chats.Close.Root = config.Duration(100e6)
	want.Families = []config.Family{{Name: "mini", Match: []string{"mini"}}}
	want.Limits.MaxRequestBytes = 2 << 20
	want.CORSOrigins = []string{"http://localhost:3000"}
	if got := c.Tokens.Ingest; len(got) != 1 || got[0].Reveal() != "s3cret" {
		t.Errorf("tokens.ingest was not expanded")
	}
	c.Tokens = want.Tokens
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestListsFromText(t *testing.T) {
	for _, text := range []string{
		"http://a:1,http://b", " http://a:1 , http://b ,", `["http://a:1", "http://b"]`,
	} {
		c := load(t, config.Sources{Env: environment(map[string]string{"CORS_ORIGINS": text})}).Config
		if diff := cmp.Diff([]string{"http://a:1", "http://b"}, c.CORSOrigins); diff != "" {
			t.Errorf("CORS_ORIGINS=%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing yet\n", "journal:\n", "sinks:\nfamilies: ~\nack: null\n"} {
		got := load(t, config.Sources{File: write(t, text)}).Config
		if diff := cmp.Diff(load(t, config.Sources{}).Config, got); diff != "" {
			t.Errorf("%q says something (-defaults +got):\n%s", text, diff)
		}
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := config.Load(config.Sources{Env: environment(nil), File: filepath.Join(t.TempDir(), "no.yaml")}); !os.IsNotExist(err) {
		t.Errorf("Load of a missing file = %v, want one that does not exist", err)
	}
}

// Every leaf of Config has one line in the table, and every line a leaf, so that
// no setting lacks a flag, a variable or its documentation.
func TestTableIsConfig(t *testing.T) {
	var leaves, table []string
	var walk func(t reflect.Type, key string)
	walk = func(typ reflect.Type, key string) {
		_, text := reflect.New(typ).Interface().(interface{ UnmarshalText([]byte) error })
		if typ.Kind() != reflect.Struct || text {
			leaves = append(leaves, key)
			return
		}
		for f := range typ.Fields() {
			name := f.Tag.Get("yaml")
			if name == "" {
				t.Errorf("%s.%s has no yaml tag", typ, f.Name)
			}
			walk(f.Type, strings.TrimPrefix(key+"."+name, "."))
		}
	}
	walk(reflect.TypeFor[config.Config](), "")
	seen := map[string]string{}
	for _, s := range config.Settings() {
		table = append(table, s.Key)
		for _, name := range []string{s.Flag, s.Env(), s.Alias} {
			if other, twice := seen[name]; twice && name != "" {
				t.Errorf("%s and %s share the name %s", other, s.Key, name)
			}
			seen[name] = s.Key
		}
		if s.Usage == "" {
			t.Errorf("%s has no usage text", s.Key)
		}
	}
	if diff := cmp.Diff(leaves, table); diff != "" {
		t.Errorf("the table differs from Config (-Config +table):\n%s", diff)
	}
}

// The text of every value reads back as the value, so that what is shown can be
// written into a file.
func TestTextRoundTrip(t *testing.T) {
	for _, text := range []string{"24h", "7d", "1m30s", "100ms", "1h30m", "0s", "10m", "90s"} {
		var d, again config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%s is shown as %s, which reads as %s (%v)", text, d, again, err)
		}
	}
	for _, text := range []string{"0", "1", "1023", "64MiB", "10GiB", "3TiB", "1536KiB"} {
		var s config.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s.String() != text {
			t.Errorf("%s reads as %s (%v)", text, s, err)
		}
	}
	for _, bad := range []string{"-1", "", "MiB", "1.5GiB", "9999999TiB", "1 000"} {
		var s config.Size
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("size %q was taken as %s", bad, s)
		}
	}
	for _, bad := range []string{"", "5", "d", "nand", "1e300d", "3 weeks"} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("duration %q was taken as %s", bad, d)
		}
	}
}

func TestSinksOfTheEnvironment(t *testing.T) {
	env := map[string]string{
		"LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "canary", "LANGCHAIN_PROJECT": "treq-assistente",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
	}
	l := load(t, config.Sources{Env: environment(env)})
	if len(l.Config.Sinks) != 1 || l.Config.Sinks[0].Name != "langsmith" {
		t.Fatalf("sinks = %v, want langsmith alone: the other points at this process", l.Config.Sinks)
	}
	if len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "own address") {
		t.Errorf("warnings = %q, want one about the own address", l.Warnings)
	}
	env["LANGSMITH_ENDPOINT"] = "http://localhost:8002"
	l = load(t, config.Sources{Env: environment(env)})
	if len(l.Config.Sinks) != 0 || len(l.Warnings) != 2 || !strings.Contains(l.Warnings[0], "TREQ_LANGSMITH_ENDPOINT") {
		t.Errorf("warnings = %q, want one that says how to name LangSmith where an app shares the environment", l.Warnings)
	}
	delete(env, "LANGSMITH_ENDPOINT")
	file := write(t, "sinks: [{name: langsmith, profile: langsmith, endpoint: 'https://eu.api.smith.langchain.com', api_key: other}]\n")
	l = load(t, config.Sources{File: file, Env: environment(env)})
	if got := l.Config.Sinks; len(got) != 1 || got[0].APIKey.Reveal() != "other" {
		t.Errorf("sinks = %v, want the file's langsmith", got)
	}
}

func TestRules(t *testing.T) {
	c := load(t, config.Sources{File: write(t, `
chats:
  from: traces
  preset: treq
  bare_llm: false
  entries: [{service: a, name: b, route: /c}]
  exclude: [{name: d}]
  session: 1m
  remember: 2m
  close: {root: 1s, chain: 2s, leaves: 3s, longest: 4s}
families: [{name: mini, match: [Mini, nano]}]
`)}).Config
	rules, families := c.Rules()
	want := understand.DefaultConfig()
	want.ChatsFrom, want.Preset, want.BareLLM = understand.FromTraces, "treq", false
	want.Entries = []understand.Rule{{Service: "a", Name: "b", Route: "/c"}}
	want.Exclude = []understand.Rule{{Name: "d"}}
	want.Session, want.Remember = time.Minute, 2*time.Minute
	want.CloseRoot, want.CloseChain, want.CloseLeaf, want.CloseMax = time.Second, 2*time.Second, 3*time.Second, 4*time.Second
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]instrument.Family{{Name: "mini", Contains: []string{"Mini", "nano"}}}, families); diff != "" {
		t.Errorf("families (-want +got):\n%s", diff)
	}
}
