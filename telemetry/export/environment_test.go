package export

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
)

func TestFromEnvironment(t *testing.T) {
	langSmith := func(change func(*Config)) []Config {
		c := Config{
			Name: "langsmith", Profile: "langsmith", Endpoint: "https://api.smith.langchain.com",
			APIKey: secret("key"), Project: "default",
		}
		if change != nil {
			change(&c)
		}
		return []Config{c}
	}
	otlp := func(change func(*Config)) []Config {
		c := Config{
			Name: "otlp", Profile: "otlp", Endpoint: "http://collector:4318/v1/traces",
			Compression: None, Headers: map[string]telemetry.Secret{},
		}
		if change != nil {
			change(&c)
		}
		return []Config{c}
	}
	tests := []struct {
		name     string
		env      string // NAME=value, one a line
		want     []Config
		warnings []string
	}{
		{"nothing", "", nil, nil},
		{"key without tracing", "LANGSMITH_API_KEY=key", nil, nil},
		{"tracing without key", "LANGCHAIN_TRACING_V2=true", nil, []string{"LANGSMITH_API_KEY"}},
		{"old names", "LANGCHAIN_TRACING_V2=true\nLANGCHAIN_API_KEY=key\nLANGCHAIN_PROJECT=treq\nLANGCHAIN_ENDPOINT=https://eu.test", langSmith(func(c *Config) { c.Project, c.Endpoint = "treq", "https://eu.test" }), nil},
		{"new names", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGSMITH_PROJECT=treq\nLANGSMITH_WORKSPACE_ID=w", langSmith(func(c *Config) { c.Project, c.Tenant = "treq", "w" }), nil},
		{"new before old", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGCHAIN_API_KEY=old\nLANGSMITH_PROJECT=new\nLANGCHAIN_PROJECT=old\nLANGSMITH_ENDPOINT=https://new.test\nLANGCHAIN_ENDPOINT=https://old.test", langSmith(func(c *Config) { c.Project, c.Endpoint = "new", "https://new.test" }), nil},
		{"blank is unset", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY= \nLANGCHAIN_API_KEY=key\nLANGSMITH_PROJECT=\nLANGCHAIN_PROJECT=old", langSmith(func(c *Config) { c.Project = "old" }), nil},
		{"V2 decides", "LANGCHAIN_TRACING_V2=false\nLANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key", nil, nil},
		{"switched off by the new name", "LANGSMITH_TRACING_V2=false\nLANGCHAIN_TRACING_V2=true\nLANGSMITH_API_KEY=key", nil, nil},
		{"quotes and slash", "LANGSMITH_TRACING=\"true\"\nLANGSMITH_API_KEY='key'\nLANGSMITH_ENDPOINT=\"https://eu.test/\"", langSmith(func(c *Config) { c.Endpoint = "https://eu.test" }), nil},
		{"override", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGSMITH_ENDPOINT=http://localhost:8002\nTREQ_LANGSMITH_ENDPOINT=https://real.test", langSmith(func(c *Config) { c.Endpoint = "https://real.test" }), nil},
		{"session", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGCHAIN_SESSION=s", langSmith(func(c *Config) { c.Project = "s" }), nil},
		{"hosted project", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGSMITH_PROJECT=p\nHOSTED_LANGSERVE_PROJECT_NAME=h", langSmith(func(c *Config) { c.Project = "h" }), nil},
		{"what we do not do", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGSMITH_HIDE_INPUTS=true\nLANGSMITH_TRACING_SAMPLING_RATE=0.5\nLANGSMITH_RUNS_ENDPOINTS={}", langSmith(nil), []string{"HIDE_INPUTS", "SAMPLING_RATE", "RUNS_ENDPOINTS"}},
		{"bad endpoint", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nLANGSMITH_ENDPOINT=smith", nil, []string{"sinks.langsmith.endpoint: must start with"}},

		{"base", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", otlp(nil), nil},
		{"base with slash", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318/", otlp(nil), nil},
		{"base with path", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector/x", otlp(func(c *Config) { c.Endpoint = "http://collector/x/v1/traces" }), nil},
		{"traces as it is", "OTEL_EXPORTER_OTLP_ENDPOINT=http://other\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/in", otlp(func(c *Config) { c.Endpoint = "http://collector:4318/in" }), nil},
		{"headers", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_HEADERS= a=1 ,b=x%20y%3D,c=d=e,,nonsense,bad=%zz", otlp(func(c *Config) {
			c.Headers = map[string]telemetry.Secret{"a": secret("1"), "b": secret("x y="), "c": secret("d=e")}
		}), []string{"header 5 is not", "header 6 is not"}},
		{"compression", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_COMPRESSION=none\nOTEL_EXPORTER_OTLP_TRACES_COMPRESSION=gzip", otlp(func(c *Config) { c.Compression = Gzip }), nil},
		{"unknown compression", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_COMPRESSION=zstd", otlp(nil), []string{`"zstd"`}},
		{"timeout", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_TIMEOUT=2500", otlp(func(c *Config) { c.Timeout = 2500 * time.Millisecond }), nil},
		{"bad timeout", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_TIMEOUT=5s", otlp(nil), []string{"OTEL_EXPORTER_OTLP_TIMEOUT"}},
		{"protocol", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", otlp(func(c *Config) { c.Protocol = Protobuf }), nil},
		{"other protocol", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=smtp", nil, []string{`"smtp"`}},
		{"gRPC", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc", otlp(func(c *Config) { c.Protocol, c.Endpoint = GRPC, "http://collector:4317" }), nil},
		{"gRPC without scheme", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector:4317\nOTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc", otlp(func(c *Config) { c.Protocol, c.Endpoint = GRPC, "https://collector:4317" }), nil},
		{"gRPC without TLS", "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc\nOTEL_EXPORTER_OTLP_INSECURE=true", otlp(func(c *Config) { c.Protocol, c.Endpoint = GRPC, "http://collector:4317" }), nil},
		{"certificate", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_EXPORTER_OTLP_CERTIFICATE=/ca.pem\nOTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/c.pem\nOTEL_EXPORTER_OTLP_CLIENT_KEY=/c.key", otlp(func(c *Config) { c.TLS = TLS{"/ca.pem", "/c.pem", "/c.key"} }), nil},
		{"disabled", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_SDK_DISABLED=true", nil, nil},
		{"no traces", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_TRACES_EXPORTER=none", nil, nil},
		{"traces to several", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\nOTEL_TRACES_EXPORTER=console, otlp", otlp(nil), nil},
		{"both", "LANGSMITH_TRACING=true\nLANGSMITH_API_KEY=key\nOTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", append(langSmith(nil), otlp(nil)...), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			env := map[string]string{}
			for line := range strings.Lines(test.env) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				env[name] = value
			}
			got, warnings := FromEnvironment(func(name string) string { return env[name] })
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(telemetry.Secret{})); diff != "" {
				t.Error(diff)
			}
			if len(warnings) != len(test.warnings) {
				t.Fatalf("warnings are %v, want %v", warnings, test.warnings)
			}
			for i, w := range warnings {
				if !strings.Contains(w.String(), test.warnings[i]) {
					t.Errorf("warning is %q, want %q in it", w, test.warnings[i])
				}
			}
		})
	}
}
