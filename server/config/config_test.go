package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
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
  entries: [{service: api, name: "POST *"}]
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
	want.Chats.Entries = []config.SpanRule{{Service: "api", Name: "POST *"}}
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
	for _, text := range []string{"", "\n", "# nothing yet\n", "journal:\n"} {
		load(t, config.Sources{File: write(t, text)})
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name  string
		file  string
		env   map[string]string
		flags map[string]string
		want  string // FILE stands for the path
	}{
		{
			name: "unknown keys at every depth", file: "lisen: :1\notlp:\n  htpp: :2\nsinks:\n  - name: a\n    endpont: http://x\n",
			want: "FILE:1: lisen: unknown key; known here: listen, otlp, data_dir, ack, journal, chats, families, sinks, tokens, cors_origins, allowed_hosts, limits, log\n" +
				"FILE:3: otlp.htpp: unknown key; known here: http, grpc\n" +
				"FILE:6: sinks[0].endpont: unknown key; known here: name, profile, protocol, endpoint, api_key, headers, compression, timeout, delay, batch_bytes, batch_spans, max_in_flight, project, tenant, dead_letter_bytes",
		},
		{
			name: "wrong types", file: "chats:\n  bare_llm: perhaps\n  entries: {name: x}\njournal: 5\nlisten: [a]\n",
			want: "FILE:2: chats.bare_llm: want true or false, got a text\n" +
				"FILE:3: chats.entries: want a list, got keys with values\n" +
				"FILE:4: journal: want keys with values, got a number\n" +
				"FILE:5: listen: want one text, got a list",
		},
		{
			name: "wrong values", file: "ack: disk\njournal: {keep: 5 days, max_bytes: 3XB}\n",
			want: `FILE:1: ack: "disk" is none of fsync, memory` + "\n" +
				`FILE:2: journal.keep: "5 days" is no duration: want a number with a unit, like 90s, 15m, 24h or 7d` + "\n" +
				`FILE:2: journal.max_bytes: "3XB" is no size: want bytes, or a whole number of KiB, MiB, GiB or TiB, like 64MiB`,
		},
		{
			name: "twice", file: "ack: fsync\nack: memory\n",
			want: "FILE:2: ack: is there twice at line 1",
		},
		{
			name: "no YAML", file: "listen: :1\n  ack: x\n",
			want: "FILE:2: mapping values are not allowed in this context",
		},
		{
			name: "several documents", file: "ack: fsync\n---\nack: memory\n",
			want: "FILE: expected single document, found multiple",
		},
		{
			name: "aliases", file: "ack: &a fsync\ndata_dir: *a\n",
			want: "FILE:2: data_dir: aliases are not read here: write the value out",
		},
		{
			name: "variable not set", file: "data_dir: ${NOWHERE}/x\n",
			want: "FILE:1: data_dir: the environment variable NOWHERE is not set",
		},
		{
			name: "a secret of the wrong type stays hidden", file: "chats:\n  bare_llm: ${KEY}\n", env: map[string]string{"KEY": "canary"},
			want: "FILE:2: chats.bare_llm: want true or false, got a text",
		},
		{
			name: "from variables and flags", env: map[string]string{"TREQ_ACK": "x", "PORT": "http"}, flags: map[string]string{"listen": "8002", "chats-bare-llm": "perhaps"},
			want: `--chats-bare-llm: chats.bare_llm: want true or false, got a text` + "\n" +
				`--listen: listen: "8002" is no address: want host:port, :port for every interface, or off` + "\n" +
				`PORT: listen: ":http" has no port: want a number of 0 to 65535 behind the colon` + "\n" +
				`TREQ_ACK: ack: "x" is none of fsync, memory`,
		},
		{
			name: "rules across keys", file: "listen: off\notlp: {http: 127.0.0.1:1, grpc: 127.0.0.1:1}\njournal: {keep: 8d}\nlimits:\n  max_in_flight_bytes: 1MiB\n",
			want: "FILE:1: listen: cannot be off: it is the port that answers\n" +
				"FILE:2: otlp.grpc: has the address of otlp.http: each needs its own (the one port takes OTLP too; off closes this one)\n" +
				"FILE:3: journal.max_age: must not be below journal.keep (8d)\n" +
				"FILE:5: limits.max_in_flight_bytes: must have room for one request (64MiB)",
		},
		{
			name: "rules within lists", file: "chats:\n  exclude:\n    - {}\nfamilies:\n  - name: a\n  - {name: a, match: [' ']}\ntokens: {ingest: ['a b']}\ncors_origins:\n  - localhost:3000/x\nallowed_hosts: ['http://x']\n",
			want: "FILE:3: chats.exclude[0]: matches every span: set service, name or route\n" +
				"FILE:5: families[0].match: is missing: want parts of model names\n" +
				"FILE:6: families[1].name: is there twice: put all parts under one match\n" +
				"FILE:6: families[1].match[0]: is blank and would match every model\n" +
				"FILE:7: tokens.ingest[0]: must be printable ASCII without spaces, as a header carries it\n" +
				"FILE:9: cors_origins[0]: is no origin: want scheme://host or scheme://host:port\n" +
				"FILE:10: allowed_hosts[0]: is no host name: want a name or an IP address, without scheme or path",
		},
		{
			name: "sinks", file: "sinks:\n  - name: A\n    endpoint: ftp://x\n    timeout: 1h\n  - {name: b, endpoint: 'http://x', headers: {Host: x}}\n  - name: b\n    endpoint: http://localhost:8002/v1/traces\n",
			want: `FILE:2: sinks[0].name: must be 1 to 64 of a-z, 0-9, "-" and "_", starting with a letter or digit` + "\n" +
				"FILE:3: sinks[0].endpoint: must start with http:// or https://\n" +
				"FILE:4: sinks[0].timeout: 1h0m0s is not between 1ms and 10m0s\n" +
				"FILE:5: sinks[1].Host: is set by the sender and cannot be configured\n" +
				"FILE:6: sinks[2].name: is there twice: a sink's position on disk goes by its name\n" +
				"FILE:7: sinks[2].endpoint: http://localhost:8002/v1/traces is this process's own address 127.0.0.1:8002: every span would come back",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := config.Sources{Env: environment(tt.env), Flags: tt.flags}
			if tt.file != "" {
				src.File = write(t, tt.file)
			}
			_, err := config.Load(src)
			if err == nil {
				t.Fatal("Load found nothing wrong")
			}
			got := err.Error()
			if src.File != "" {
				got = strings.ReplaceAll(got, src.File, "FILE")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
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
	file := write(t, "sinks: [{name: langsmith, profile: langsmith, endpoint: 'https://eu.api.smith.langchain.com', api_key: other}]\n")
	l = load(t, config.Sources{File: file, Env: environment(env)})
	if got := l.Config.Sinks; len(got) != 1 || got[0].APIKey.Reveal() != "other" {
		t.Errorf("sinks = %v, want the file's langsmith", got)
	}
}

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
