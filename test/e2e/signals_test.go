package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	otelresource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"treq/test/e2e/e2etest"
)

// TestServiceMetrics sends what a service measures of itself with OpenTelemetry's
// Go exporter: its process values stand in ?service=, everything on /metrics.
func TestServiceMetrics(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	for _, compression := range []otlpmetrichttp.Compression{otlpmetrichttp.NoCompression, otlpmetrichttp.GzipCompression} {
		exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpoint(s.Addr), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithCompression(compression))
		if err != nil {
			t.Fatal(err)
		}
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)),
			sdkmetric.WithResource(resource.NewSchemaless(attribute.String("service.name", "treq-backend"))))
		meter := provider.Meter("treq-e2e")
		memory, err := meter.Int64UpDownCounter("process.memory.usage", metric.WithUnit("By"))
		if err != nil {
			t.Fatal(err)
		}
		threads, err := meter.Int64UpDownCounter("process.thread.count", metric.WithUnit("{thread}"))
		if err != nil {
			t.Fatal(err)
		}
		memory.Add(t.Context(), 300<<20)
		threads.Add(t.Context(), 17)
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e2etest.Eventually(t, settled, func() error {
		if system := s.Metrics("?service=treq-backend").System; system.MemoryUsageMB != 300 || system.Threads != 17 {
			return fmt.Errorf("system of the service: %+v", system)
		}
		return nil
	})
	if own := s.Metrics("").System; own.MemoryUsageMB == 300 || own.MemoryUsageMB == 0 {
		t.Errorf("system of this process: %+v", own)
	}
	exposition := string(s.Get("/metrics").Body)
	if !strings.Contains(exposition, "\nreported_process_") || !strings.Contains(exposition, `service_name="treq-backend"`) {
		t.Error("/metrics does not show what the service reported")
	}
}

// TestEvaluationLog sends a judgement as the log record that the semantic
// conventions define, twice: it is one score.
func TestEvaluationLog(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	for range 2 {
		request := &collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
			Resource: &otelresource.Resource{Attributes: []*common.KeyValue{e2etest.Text("service.name", "judge")}},
			ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{{
				TimeUnixNano: uint64(time.Now().UnixNano()), EventName: "gen_ai.evaluation.result",
				TraceId: bytes.Repeat([]byte{7}, 16), SpanId: bytes.Repeat([]byte{9}, 8),
				Attributes: []*common.KeyValue{
					e2etest.Text("gen_ai.evaluation.name", "relevance"), e2etest.Double("gen_ai.evaluation.score.value", 0.75),
				},
			}}}},
		}}}
		body, err := proto.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		a := s.Do(http.MethodPost, "/v1/logs", http.Header{"Content-Type": {"application/x-protobuf"}}, bytes.NewReader(body))
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	e2etest.Eventually(t, settled, func() error {
		found := 0
		for line := range strings.Lines(string(s.Get("/metrics").Body)) {
			if strings.HasPrefix(line, "treq_feedback_score") && strings.Contains(line, `"relevance"`) {
				name, value, _ := strings.Cut(line, "{")
				_, value, _ = strings.Cut(value, "} ")
				value = strings.TrimSpace(value)
				if (strings.HasSuffix(name, "_count") && value == "1") || (strings.HasSuffix(name, "_sum") && value == "0.75") {
					found++
				}
			}
		}
		if found != 2 {
			return fmt.Errorf("/metrics does not show one score of 0.75 (%d of 2 lines)", found)
		}
		return nil
	})
}

// TestTelemetrygen lets the OpenTelemetry project's own generator send traces,
// over gRPC and over HTTP, and wants every span admitted and every call counted.
func TestTelemetrygen(t *testing.T) {
	t.Parallel()
	tool, err := e2etest.Tool("github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen", "v0.161.0")
	if err != nil {
		t.Fatal(err)
	}
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	run := func(service string, args ...string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		args = append([]string{
			"traces", "--otlp-insecure", "--traces", "50", "--rate", "0", "--workers", "1", "--service", service,
			"--telemetry-attributes", `gen_ai.operation.name="chat"`,
			"--telemetry-attributes", `gen_ai.request.model="llama-3.3-70b-versatile"`,
			"--telemetry-attributes", `gen_ai.usage.input_tokens="10"`,
		}, args...)
		if out, err := exec.CommandContext(ctx, tool, args...).CombinedOutput(); err != nil {
			t.Fatalf("telemetrygen %v: %v\n%s", args, err, out)
		}
		// Of its two spans, one inside the other, only the inner one is a call.
		wantTotals(t, s, service, e2etest.Totals{Chats: 50, Calls: 50, Tokens: 500})
		if got := s.Metrics("?service=" + service).LLM.Model70BCalls; got != 50 {
			t.Errorf("%d calls of the 70b family, want 50", got)
		}
	}
	run("gen-grpc", "--otlp-endpoint", s.Addr)
	run("gen-grpc-4317", "--otlp-endpoint", s.GRPC)
	run("gen-http", "--otlp-http", "--otlp-endpoint", s.Addr)
}

// TestRefusals sends what must be refused over a real connection, and wants
// nothing of it counted and the service well afterwards.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: "limits:\n  max_request_bytes: 1MiB\n" + quick})
	bomb, err := e2etest.Compress("gzip", 9, make([]byte, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		body               []byte
		want               int
	}{
		{"not protobuf", "POST", "/v1/traces", http.Header{"Content-Type": {"application/x-protobuf"}}, []byte("\xff\xff\xff"), 400},
		{"not JSON", "POST", "/v1/traces", http.Header{"Content-Type": {"application/json"}}, []byte("{"), 400},
		{"no such type", "POST", "/v1/traces", http.Header{"Content-Type": {"text/csv"}}, []byte("a,b"), 415},
		{"no such encoding", "POST", "/v1/traces", http.Header{"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"br"}}, []byte("x"), 415},
		{"bomb", "POST", "/v1/traces", http.Header{"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"gzip"}}, bomb, 413},
		{"too large", "POST", "/v1/traces", http.Header{"Content-Type": {"application/x-protobuf"}}, make([]byte, 2<<20), 413},
		{"wrong method", "GET", "/v1/traces", nil, nil, 405},
		{"no such path", "GET", "/monitoring/nothing", nil, nil, 404},
		{"missing parameters", "POST", "/monitoring/chat/metrics", nil, nil, 422},
		{"negative time", "POST", "/monitoring/chat/metrics?success=true&response_time_ms=-5", nil, nil, 422},
		{"no such window", "GET", "/monitoring/metrics?window=soon", nil, nil, 422},
		{"foreign host", "GET", "/monitoring/metrics", http.Header{"Host": {"evil.example"}}, nil, 421},
	} {
		a := s.Do(c.method, c.path, c.header, bytes.NewReader(c.body))
		if a.Status != c.want {
			t.Errorf("%s: %d %.200s, want %d", c.name, a.Status, a.Body, c.want)
		}
		if c.want == http.StatusMethodNotAllowed && a.Header.Get("Allow") == "" {
			t.Errorf("%s: no Allow header", c.name)
		}
	}
	if diff := cmp.Diff(e2etest.Totals{}, e2etest.Of(s.Metrics(""))); diff != "" {
		t.Errorf("something refused was counted (-want +got):\n%s", diff)
	}
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 1)
	wantTotals(t, s, "", ledger.Totals())
}
