package e2e

import (
	"bytes"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	otelresource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	"treq/test/e2e/e2etest"
)

// TestGRPC speaks all three services over the one port and over 4317's stand-in,
// with the client that the protocol's own definition generates, and provokes the
// refusals that OTLP names.
func TestGRPC(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: "limits:\n  max_request_bytes: 1MiB\n" + quick})
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	for name, addr := range map[string]string{"one-port": s.Addr, "4317": s.GRPC} {
		t.Run(name, func(t *testing.T) {
			conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			})
			for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
				one := traces.Trace(e2etest.Question{Input: 200, Output: 100, Scores: []float64{0.5}}, time.Now().Add(-time.Second))
				answer, err := collectortrace.NewTraceServiceClient(conn).Export(t.Context(), e2etest.Request("grpc-"+name, one.Spans...), options...)
				if err != nil || answer.PartialSuccess != nil {
					t.Fatalf("traces: %v %v", answer, err)
				}
				resource := &otelresource.Resource{Attributes: []*common.KeyValue{e2etest.Text("service.name", "grpc-"+name)}}
				measured, err := collectormetrics.NewMetricsServiceClient(conn).Export(t.Context(), &collectormetrics.ExportMetricsServiceRequest{
					ResourceMetrics: []*metrics.ResourceMetrics{{Resource: resource, ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: []*metrics.Metric{{
						Name: "process.memory.usage", Unit: "By",
						Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{{
							TimeUnixNano: uint64(time.Now().UnixNano()), Value: &metrics.NumberDataPoint_AsInt{AsInt: 100 << 20},
						}}}},
					}}}}}},
				}, options...)
				if err != nil || measured.PartialSuccess != nil {
					t.Fatalf("metrics: %v %v", measured, err)
				}
				logged, err := collectorlogs.NewLogsServiceClient(conn).Export(t.Context(), &collectorlogs.ExportLogsServiceRequest{
					ResourceLogs: []*logs.ResourceLogs{{Resource: resource, ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{{EventName: "anything"}}}}}},
				}, options...)
				if err != nil || logged.PartialSuccess != nil {
					t.Fatalf("logs: %v %v", logged, err)
				}
			}
			m := wantTotals(t, s, "grpc-"+name, e2etest.Totals{Chats: 2, RAGQueries: 2, Searches: 2, Calls: 2, Tokens: 600})
			if m.System.MemoryUsageMB != 100 {
				t.Errorf("system of the service: %+v", m.System)
			}
			wantRefusals(t, conn, traces)
		})
	}
	wantTotals(t, s, "", e2etest.Totals{Chats: 4, RAGQueries: 4, Searches: 4, Calls: 4, Tokens: 1200})
}

// wantRefusals sends a request above the limit, plain and compressed, one that
// does not decode, one to a method that is not there, and a span without an id.
func wantRefusals(t *testing.T, conn *grpc.ClientConn, traces *e2etest.Generator) {
	t.Helper()
	client := collectortrace.NewTraceServiceClient(conn)
	large := traces.Trace(e2etest.Question{Content: string(bytes.Repeat([]byte("a"), 2<<20))}, time.Now())
	for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
		_, err := client.Export(t.Context(), e2etest.Request("refused", large.Spans...), options...)
		st := status.Convert(err)
		if st.Code() != codes.ResourceExhausted {
			t.Errorf("too large: %v, want RESOURCE_EXHAUSTED", err)
		}
		for _, detail := range st.Details() {
			if _, ok := detail.(*errdetails.RetryInfo); ok {
				t.Error("too large: the answer invites to retry")
			}
		}
	}
	// A resource whose first field, an attribute, reads as a resource span whose
	// first field, a resource, is cut short.
	err := conn.Invoke(t.Context(), collectortrace.TraceService_Export_FullMethodName,
		&otelresource.Resource{DroppedAttributesCount: 1, Attributes: []*common.KeyValue{{Key: "\x07"}}}, &collectortrace.ExportTraceServiceResponse{})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("not a trace request: %v, want INVALID_ARGUMENT", err)
	}
	err = conn.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
		&collectortrace.ExportTraceServiceRequest{}, &collectortrace.ExportTraceServiceResponse{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("no such method: %v, want UNIMPLEMENTED", err)
	}
	nameless := traces.Trace(e2etest.Question{}, time.Now()).Spans[0]
	nameless.SpanId = make([]byte, 8)
	answer, err := client.Export(t.Context(), e2etest.Request("refused", nameless))
	if err != nil || answer.GetPartialSuccess().GetRejectedSpans() != 1 || answer.GetPartialSuccess().GetErrorMessage() == "" {
		t.Errorf("a span without an id: %v %v, want a partial success", answer, err)
	}
}
