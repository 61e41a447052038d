package ingest

import (
	"crypto/rand"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	_ "google.golang.org/grpc/encoding/gzip" // the client's compressor
)

// The exporters of the OTel SDK deliver through both doors on one port.
func TestOTelExporters(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log})
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsGRPC(r) {
			i.GRPC().ServeHTTP(w, r)
			return
		}
		i.HTTP().ServeHTTP(w, r)
	}))
	clients := map[string]otlptrace.Client{
		"grpc":      otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure()),
		"grpc gzip": otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip")),
		"http":      otlptracehttp.NewClient(otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure()),
		"http gzip": otlptracehttp.NewClient(otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure(), otlptracehttp.WithCompression(otlptracehttp.GzipCompression)),
	}
	sent := uint32(0)
	for name, client := range clients {
		exporter, err := otlptrace.New(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
		for range 3 {
			_, span := provider.Tracer("test").Start(t.Context(), "chat "+rand.Text())
			span.End()
			sent++
		}
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := uint32(0)
	for _, e := range log.entries {
		got += e.Items
	}
	if got != sent {
		t.Errorf("%d spans sent, %d kept", sent, got)
	}
}

func BenchmarkGRPC(b *testing.B) {
	conn := dial(b, New(Options{Log: nullLog{}}).GRPC())
	request := message(b, usualSpans(512), &tracepb.ExportTraceServiceRequest{})
	client := tracepb.NewTraceServiceClient(conn)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Export(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
