package export

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"treq/telemetry"
)

func TestValidate(t *testing.T) {
	good := Config{Name: "sink", Endpoint: "https://collector.test/v1/traces"}
	with := func(change func(*Config)) Config {
		c := good
		change(&c)
		return c
	}
	tests := []struct {
		name   string
		config Config
		faults []string // what the message holds; none for a valid one
	}{
		{"least", good, nil},
		{"langsmith", with(func(c *Config) { c.Profile, c.APIKey = "langsmith", secret("k") }), nil},
		{"no name", with(func(c *Config) { c.Name = "" }), []string{`sinks."".name: must be`}},
		{"a path for a name", with(func(c *Config) { c.Name = "../x" }), []string{`sinks."../x".name: must be`}},
		{"profile", with(func(c *Config) { c.Profile = "x" }), []string{`sinks.sink.profile: "x" is not known; known are braintrust, datadog`}},
		{"protocol", with(func(c *Config) { c.Protocol = "smtp" }), []string{`sinks.sink.protocol: "smtp" is not one of profile`}},
		{"no endpoint", with(func(c *Config) { c.Endpoint = "" }), []string{"sinks.sink.endpoint: is missing"}},
		{"endpoint without scheme", with(func(c *Config) { c.Endpoint = "host:4318" }), []string{"sinks.sink.endpoint: must start with http"}},
		{"endpoint without host", with(func(c *Config) { c.Endpoint = "http:///v1" }), []string{"sinks.sink.endpoint: names no host"}},
		{"no URL", with(func(c *Config) { c.Endpoint = "http://a b" }), []string{"sinks.sink.endpoint: is not a URL"}},
		{"key without a place", with(func(c *Config) { c.APIKey = secret("k") }), []string{"sinks.sink.api_key: profile otlp has no place"}},
		{"key twice", with(func(c *Config) {
			c.Profile, c.APIKey = "langsmith", secret("k")
			c.Headers = map[string]telemetry.Secret{"X-API-Key": secret("k")}
		}), []string{"sinks.sink.headers.X-API-Key: is also told by api_key"}},
		{"reserved header", with(func(c *Config) { c.Headers = map[string]telemetry.Secret{"content-type": secret("x")} }), []string{"sinks.sink.headers.content-type: is set by the sender"}},
		{"header twice", with(func(c *Config) {
			c.Headers = map[string]telemetry.Secret{"x-a": secret("1"), "X-A": secret("2")}
		}), []string{`sinks.sink.headers.x-a: stands twice, also as "X-A"`}},
		{"header with a line", with(func(c *Config) { c.Headers = map[string]telemetry.Secret{"a": secret("b\r\nc: d")} }), []string{"sinks.sink.headers.a: holds characters"}},
		{"project with a line", with(func(c *Config) { c.Project = "a\nb" }), []string{"sinks.sink.project: holds characters"}},
		{"tenant with a line", with(func(c *Config) { c.Tenant = "a\nb" }), []string{"sinks.sink.tenant: holds characters"}},
		{"ranges", with(func(c *Config) {
			c.Timeout, c.Delay, c.BatchBytes = time.Hour, -1, MaxRequestBytes+1
			c.BatchSpans, c.MaxInFlight, c.DeadLetterBytes = -1, 65, 1
		}), []string{"timeout: 1h0m0s is not between 1ms and 10m0s", "delay", "batch_bytes", "batch_spans", "max_in_flight", "dead_letter_bytes"}},
		{"compression", with(func(c *Config) { c.Compression = "zstd" }), []string{`sinks.sink.compression: "zstd" is not supported`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.Validate()
			if (err == nil) != (test.faults == nil) {
				t.Fatalf("got %v", err)
			}
			for _, fault := range test.faults {
				if !strings.Contains(err.Error(), fault) {
					t.Errorf("got %q, want %q in it", err, fault)
				}
			}
			if err != nil {
				if lines := strings.Count(err.Error(), "\n") + 1; lines != len(test.faults) {
					t.Errorf("%d faults, want %d: %v", lines, len(test.faults), err)
				}
				if telemetry.KindOf(err) != telemetry.Unprocessable {
					t.Errorf("kind is %v", telemetry.KindOf(err))
				}
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	tests := []struct{ profile, endpoint, want string }{
		{"", "http://host:4318/v1/traces", "http://host:4318/v1/traces"},
		{"otlp", "http://host:4318", "http://host:4318/"},
		{"langsmith", "https://api.smith.langchain.com", "https://api.smith.langchain.com/otel/v1/traces"},
		{"langsmith", "https://api.smith.langchain.com/", "https://api.smith.langchain.com/otel/v1/traces"},
		{"langsmith", "https://own.test/api/v1", "https://own.test/api/v1/otel/v1/traces"},
		{"langsmith", "https://api.smith.langchain.com/otel", "https://api.smith.langchain.com/otel/v1/traces"},
		{"langsmith", "https://api.smith.langchain.com/otel/v1/traces", "https://api.smith.langchain.com/otel/v1/traces"},
	}
	for _, test := range tests {
		c := Config{Name: "s", Profile: test.profile, Endpoint: test.endpoint}.WithDefaults()
		if c.Endpoint != test.want {
			t.Errorf("%s %s gives %s, want %s", test.profile, test.endpoint, c.Endpoint, test.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	got := Config{Name: "s", Endpoint: "http://host/v1/traces"}.WithDefaults()
	want := Config{
		Name: "s", Profile: "otlp", Protocol: "http/protobuf", Endpoint: "http://host/v1/traces", Compression: Gzip,
		Timeout: 10 * time.Second, Delay: 200 * time.Millisecond, BatchBytes: 4 << 20, BatchSpans: 8192,
		MaxInFlight: 1, DeadLetterBytes: 64 << 20, Sample: 1, OverBudget: OverBudgetWait, Enrich: EnrichOn,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(telemetry.Secret{})); diff != "" {
		t.Error(diff)
	}
	if again := got.WithDefaults(); !cmp.Equal(again, got, cmp.AllowUnexported(telemetry.Secret{})) {
		t.Error("defaults of defaults differ")
	}
	if d := (Config{Profile: "langsmith"}).WithDefaults().Timeout; d != 30*time.Second {
		t.Errorf("timeout for langsmith is %v", d)
	}
}

func TestConfigInYAML(t *testing.T) {
	var c Config
	err := yaml.Unmarshal([]byte(`
name: langfuse
endpoint: https://cloud.test/v1/traces
headers: {Authorization: "Basic abc"}
timeout: 3s
batch_bytes: 1048576
`), &c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Timeout != 3*time.Second || c.Headers["Authorization"].Reveal() != "Basic abc" || c.Validate() != nil {
		t.Errorf("got %+v (%v)", c, c.Validate())
	}
	shown, err := json.Marshal(c)
	if err != nil || strings.Contains(string(shown), "abc") {
		t.Errorf("shown as %s (%v)", shown, err)
	}
}

func TestSelfCheck(t *testing.T) {
	tests := []struct {
		endpoint string
		own      string
		self     bool
	}{
		{"http://localhost:8002/v1/traces", "127.0.0.1:8002", true},
		{"http://LOCALHOST.:8002", "[::1]:8002", true},
		{"http://app.localhost:8002", ":8002", true},
		{"http://127.0.0.1:8002", "0.0.0.0:8002", true},
		{"http://[::1]:8002", "[::]:8002", true},
		{"http://[::ffff:127.0.0.1]:8002", "localhost:8002", true},
		{"http://127.8.9.1:8002", "127.0.0.1:8002", true},
		{"http://0.0.0.0:8002", "127.0.0.1:8002", true},
		{"http://localhost:8002", "127.0.0.1:4318", false},
		{"http://collector:8002", "0.0.0.0:8002", false},
		{"http://10.0.0.5:8002", "10.0.0.5:8002", true},
		{"http://10.0.0.6:8002", "10.0.0.5:8002", false},
		{"http://me.test:8002", "me.test:8002", true},
		{"http://localhost", ":80", true},
		{"https://localhost", ":443", true},
		{"https://localhost", ":80", false},
		{"https://localhost", "no address", false},
	}
	for _, test := range tests {
		c := Config{Name: "s", Endpoint: test.endpoint}
		err := c.SelfCheck([]string{"192.0.2.1:1", test.own})
		if (err != nil) != test.self {
			t.Errorf("%s towards %s: %v", test.own, test.endpoint, err)
		}
		kept, warnings := WithoutSelf([]Config{c}, []string{test.own})
		if len(kept) == 1 == test.self || len(warnings) == 1 != test.self {
			t.Errorf("%s towards %s: kept %v, warnings %v", test.own, test.endpoint, kept, warnings)
		}
	}
}
