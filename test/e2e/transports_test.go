package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"treq/test/e2e/e2etest"
)

// settled bounds the wait until what was acknowledged is in the documents.
const settled = time.Minute

// once is what one question adds, whatever way it came.
var once = e2etest.Totals{Chats: 1, RAGQueries: 1, Searches: 1, Calls: 1, Tokens: 300}

// wantTotals waits until the document of a service shows the totals.
func wantTotals(t *testing.T, s *e2etest.Server, service string, want e2etest.Totals) e2etest.Metrics {
	t.Helper()
	query := ""
	if service != "" {
		query = "?service=" + service
	}
	var m e2etest.Metrics
	e2etest.Eventually(t, settled, func() error {
		m = s.Metrics(query)
		if diff := cmp.Diff(want, e2etest.Of(m)); diff != "" {
			return fmt.Errorf("totals of %q (-want +got):\n%s", service, diff)
		}
		return nil
	})
	return m
}

// TestGoExporters sends one question with each of OpenTelemetry's Go exporters,
// to the one port and to the standard ones, and wants each counted once.
func TestGoExporters(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	ctx := t.Context()
	exporters := map[string]func() (*otlptrace.Exporter, error){}
	for name, addr := range map[string]string{"one-port": s.Addr, "4318": s.HTTP} {
		exporters["http-"+name] = func() (*otlptrace.Exporter, error) {
			return otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(addr), otlptracehttp.WithInsecure())
		}
		exporters["http-gzip-"+name] = func() (*otlptrace.Exporter, error) {
			return otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(addr), otlptracehttp.WithInsecure(),
				otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		}
	}
	for name, addr := range map[string]string{"one-port": s.Addr, "4317": s.GRPC} {
		exporters["grpc-"+name] = func() (*otlptrace.Exporter, error) {
			return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(addr), otlptracegrpc.WithInsecure())
		}
		exporters["grpc-gzip-"+name] = func() (*otlptrace.Exporter, error) {
			return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(addr), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip"))
		}
	}
	for name, open := range exporters {
		t.Run(name, func(t *testing.T) {
			exporter, err := open()
			if err != nil {
				t.Fatal(err)
			}
			ask(t, exporter, "go-"+name)
			m := wantTotals(t, s, "go-"+name, once)
			if m.LLM.Model8BCalls != 1 || m.RAG.AvgSimilarityScore != 0.5 || m.RAG.AvgSearchTimeMS != 100 || m.LLM.AvgLatencyMS != 600 || m.Chat.AvgResponseTimeMS != 800 {
				t.Errorf("the question was not understood: %+v %+v %+v", m.Chat, m.RAG, m.LLM)
			}
		})
	}
	n := int64(len(exporters))
	wantTotals(t, s, "", e2etest.Totals{Chats: n, RAGQueries: n, Searches: n, Calls: n, Tokens: 300 * n})
}

// ask sends one question through an exporter, and fails unless it was taken.
func ask(t *testing.T, exporter *otlptrace.Exporter, service string) {
	t.Helper()
	batch := &collecting{}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(batch),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
	tracer := provider.Tracer("treq-e2e")
	start := time.Now().Add(-time.Second)
	at := func(d time.Duration) trace.SpanEventOption { return trace.WithTimestamp(start.Add(d)) }
	span := func(ctx context.Context, kind trace.SpanKind, name string, from, to time.Duration, attributes ...attribute.KeyValue) {
		_, s := tracer.Start(ctx, name, at(from), trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
		s.End(at(to))
	}
	ctx, server := tracer.Start(t.Context(), "POST /chat", at(0), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.route", "/chat"), attribute.Int("http.response.status_code", 200)))
	span(ctx, trace.SpanKindClient, "retrieval manuais", 10*time.Millisecond, 110*time.Millisecond,
		attribute.String("gen_ai.operation.name", "retrieval"), attribute.String("gen_ai.data_source.id", "manuais"),
		attribute.String("gen_ai.retrieval.documents", `[{"id":"a","score":0.75},{"id":"b","score":0.25}]`))
	span(ctx, trace.SpanKindClient, "chat llama-3.1-8b-instant", 150*time.Millisecond, 750*time.Millisecond,
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "groq"),
		attribute.String("gen_ai.request.model", "llama-3.1-8b-instant"), attribute.String("gen_ai.response.model", "llama-3.1-8b-instant"),
		attribute.Int("gen_ai.usage.input_tokens", 200), attribute.Int("gen_ai.usage.output_tokens", 100))
	server.End(at(800 * time.Millisecond))

	if err := exporter.ExportSpans(t.Context(), batch.spans); err != nil {
		t.Error(err)
	}
	if err := exporter.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := provider.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

// collecting is an exporter that keeps what it is given.
type collecting struct{ spans []sdktrace.ReadOnlySpan }

func (c *collecting) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.spans = append(c.spans, spans...)
	return nil
}

func (c *collecting) Shutdown(context.Context) error { return nil }

// TestJavaScriptExporters does what TestGoExporters does with OpenTelemetry's
// three JavaScript exporters.
func TestJavaScriptExporters(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	n := int64(0)
	for _, encoding := range []string{"json", "proto", "grpc"} {
		for _, port := range []string{"one-port", "standard-port"} {
			for _, compression := range []string{"", "gzip"} {
				service := "js-" + encoding + "-" + port + "-" + compression
				n++
				t.Run(service, func(t *testing.T) {
					url := "http://" + map[string]string{"one-port": s.Addr, "standard-port": s.HTTP}[port] + "/v1/traces"
					if encoding == "grpc" {
						url = "http://" + map[string]string{"one-port": s.Addr, "standard-port": s.GRPC}[port]
					}
					args := []string{"--encoding", encoding, "--url", url, "--service", service}
					if compression != "" {
						args = append(args, "--gzip")
					}
					runNode(t, nil, "otlp.mjs", args...)
					wantTotals(t, s, service, once)
				})
			}
		}
	}
	wantTotals(t, s, "", e2etest.Totals{Chats: n, RAGQueries: n, Searches: n, Calls: n, Tokens: 300 * n})
}

// installNode installs the JavaScript clients once, where they are missing.
var installNode = sync.OnceValue(func() error {
	root, err := e2etest.Root()
	if err != nil {
		return err
	}
	if out, err := exec.Command("make", "-s", "-C", filepath.Join(root, "test", "e2e", "js")).CombinedOutput(); err != nil {
		return fmt.Errorf("install the JavaScript clients: %w\n%s", err, out)
	}
	return nil
})

// runNode runs one of the JavaScript clients to its end and gives its output.
func runNode(t *testing.T, env []string, script string, args ...string) []byte {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "test", "e2e", "js")
	if err := installNode(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*settled)
	defer cancel()
	node := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	node.Dir = dir
	node.Env = append(node.Environ(), env...)
	var log tailBuffer
	node.Stderr = &log
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, log)
	}
	return out
}

type tailBuffer []byte

func (b *tailBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// TestEncodings sends one question in each encoding and compression over HTTP,
// and under each spelling of the path that clients of LangSmith use.
func TestEncodings(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	question := e2etest.Question{Input: 200, Output: 100, Scores: []float64{0.75, 0.25}}
	total := e2etest.Totals{}
	send := func(name, url string, e e2etest.Encoding) {
		total.Add(question)
		t.Run(name, func(t *testing.T) {
			one := traces.Trace(question, time.Now().Add(-time.Second))
			if err := e2etest.Send(t.Context(), url, e, e2etest.Request(name, one.Spans...)); err != nil {
				t.Fatal(err)
			}
			wantTotals(t, s, name, once)
		})
	}
	for _, isJSON := range []bool{false, true} {
		for _, compression := range []string{"", "gzip", "zstd", "deflate"} {
			e := e2etest.Encoding{JSON: isJSON, Compression: compression}
			name := fmt.Sprintf("json-%t-%s", isJSON, compression)
			send(name, s.URL("/v1/traces"), e)
			send(name+"-4318", "http://"+s.HTTP+"/v1/traces", e)
		}
	}
	for i, path := range []string{"/otel/v1/traces", "/otel/v1/traces/", "/otel", "/otel/", "/api/v1/otel/v1/traces", "/api/v1/otel/v1/traces/", "/v1/traces/", "/"} {
		send(fmt.Sprintf("path-%d", i), s.URL(path), e2etest.Encoding{})
	}
	wantTotals(t, s, "", total)
}

// TestLangSmithSDK runs the LangSmith JavaScript SDK in its OpenTelemetry mode
// against the service, as if it were LangSmith, and follows the trace to the sink
// behind it.
func TestLangSmithSDK(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	s := e2etest.Start(t, e2etest.Spec{Config: quick, Env: []string{
		"LANGCHAIN_TRACING_V2=true", "LANGSMITH_API_KEY=lsv2_sk_secret-canary", "LANGCHAIN_PROJECT=the-default",
		"TREQ_LANGSMITH_ENDPOINT=" + sink.URL(),
	}})
	out := runNode(t, []string{
		"LANGSMITH_TRACING=true", "LANGSMITH_TRACING_MODE=otel", "LANGSMITH_ENDPOINT=http://" + s.Addr,
		"LANGSMITH_API_KEY=of-the-app", "LANGSMITH_PROJECT=treq-e2e", "OTEL_SERVICE_NAME=langsmith-js",
	}, "langsmith.mjs")
	var printed struct{ Answer string }
	if err := json.Unmarshal(out, &printed); err != nil || printed.Answer != "A 6 bar." {
		t.Fatalf("the chain answered %q (%v)", out, err)
	}
	m := wantTotals(t, s, "", once)
	if m.LLM.Model8BCalls != 1 || m.RAG.AvgSimilarityScore != 0.5 {
		t.Errorf("the chain was not understood: %+v %+v", m.RAG, m.LLM)
	}
	e2etest.Eventually(t, settled, func() error {
		if n := len(sink.Delivered()); n != 3 {
			return fmt.Errorf("the sink has %d of 3 spans", n)
		}
		return nil
	})
	for _, r := range sink.Requests() {
		if r.Path != "/otel/v1/traces" {
			t.Errorf("posted to %s", r.Path)
		}
		for header, want := range map[string]string{
			"X-Api-Key": "lsv2_sk_secret-canary", "Langsmith-Project": "treq-e2e",
		} {
			if got := r.Header.Get(header); got != want {
				t.Errorf("%s: %q, want %q", header, got, want)
			}
		}
	}
	// A request that arrived once is answered under the path that the SDK asks first.
	if a := s.Get("/info"); a.Status != http.StatusOK && a.Status != http.StatusNotFound {
		t.Errorf("GET /info: %d", a.Status)
	}
}
