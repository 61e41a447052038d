package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // the client's compressor
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

type discard struct {
	h      http.Header
	status int
}

func (d *discard) reset() {
	if d.h == nil {
		d.h = http.Header{}
	}
	clear(d.h)
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// serve runs a handler on loopback over HTTP/1 and cleartext HTTP/2.
func serve(t testing.TB, h http.Handler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{Handler: h, Protocols: &protocols, HTTP2: HTTP2()}
	var running sync.WaitGroup
	running.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		running.Wait()
	})
	return l.Addr().String()
}

// dial connects Google's client.
func dial(t testing.TB, h http.Handler) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(serve(t, h), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func message[M proto.Message](t testing.TB, b []byte, m M) M {
	t.Helper()
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestGRPCKeepsAllSignals(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log})
	conn := dial(t, i.GRPC())
	ctx := metadata.AppendToOutgoingContext(t.Context(), "langsmith-project", "p", "x-tenant-id", "w")
	r, err := tracepb.NewTraceServiceClient(conn).Export(ctx, message(t, spans(3), &tracepb.ExportTraceServiceRequest{}))
	if err != nil || r.PartialSuccess != nil {
		t.Errorf("traces: %v %v", r, err)
	}
	m, err := metricspb.NewMetricsServiceClient(conn).Export(ctx, message(t, metricRequest(), &metricspb.ExportMetricsServiceRequest{}))
	if err != nil || m.PartialSuccess != nil {
		t.Errorf("metrics: %v %v", m, err)
	}
	l, err := logspb.NewLogsServiceClient(conn).Export(ctx, message(t, otlp.AppendLogsRequest(nil, nil, "s", otlp.LogData{Time: 1}), &logspb.ExportLogsServiceRequest{}))
	if err != nil || l.PartialSuccess != nil {
		t.Errorf("logs: %v %v", l, err)
	}
	want := []journal.Entry{
		{Kind: journal.Traces, Items: 3}, {Kind: journal.Metrics, Items: 1}, {Kind: journal.Logs, Items: 1},
	}
	if len(log.entries) != len(want) {
		t.Fatalf("%d entries", len(log.entries))
	}
	for n, e := range log.entries {
		if e.Kind != want[n].Kind || e.Items != want[n].Items || e.Door != "grpc" || e.Project != "p" || e.Tenant != "w" {
			t.Errorf("%+v", e)
		}
	}
	if _, err := tracepb.NewTraceServiceClient(conn).Export(ctx, &tracepb.ExportTraceServiceRequest{}); err != nil || len(log.entries) != 3 {
		t.Errorf("an empty request: %v, %d entries", err, len(log.entries))
	}
	checkIdle(t, i)
}

func TestGRPCKeepsGzipAsItCame(t *testing.T) {
	log := &fakeLog{}
	conn := dial(t, New(Options{Log: log}).GRPC())
	_, err := tracepb.NewTraceServiceClient(conn).Export(t.Context(), message(t, spans(3), &tracepb.ExportTraceServiceRequest{}), grpc.UseCompressor("gzip"))
	if err != nil {
		t.Fatal(err)
	}
	if e := log.one(t); e.Encoding != journal.Gzip || e.Decoded == nil || e.Items != 3 {
		t.Errorf("%+v", e)
	}
}

func TestGRPCPartialSuccess(t *testing.T) {
	conn := dial(t, New(Options{Log: &fakeLog{}}).GRPC())
	r, err := tracepb.NewTraceServiceClient(conn).Export(t.Context(), message(t, spans(2, badSpan), &tracepb.ExportTraceServiceRequest{}))
	if err != nil || r.PartialSuccess.GetRejectedSpans() != 1 || r.PartialSuccess.GetErrorMessage() == "" {
		t.Errorf("%v %v", r, err)
	}
}

// A request through either door is one.
func TestGRPCHashIsThatOfHTTP(t *testing.T) {
	log := &fakeLog{}
	i := New(Options{Log: log, Seed: 7})
	body, err := proto.Marshal(message(t, spans(3), &tracepb.ExportTraceServiceRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	call(i, "/v1/traces", body, "Content-Type", protobuf)
	if _, err := tracepb.NewTraceServiceClient(dial(t, i.GRPC())).Export(t.Context(), message(t, body, &tracepb.ExportTraceServiceRequest{})); err != nil {
		t.Fatal(err)
	}
	log.one(t)
}

func TestGRPCRefusals(t *testing.T) {
	tests := []struct {
		name   string
		o      Options
		err    error
		spans  []byte
		header []string
		code   codes.Code
		retry  time.Duration
		reason string
	}{
		{name: "no token", o: Options{Tokens: tokens(telemetry.NewSecret("right"))}, spans: spans(1), code: codes.Unauthenticated, reason: "unauthenticated"},
		{name: "wrong token", o: Options{Tokens: tokens(telemetry.NewSecret("right"))}, spans: spans(1), header: []string{"x-api-key", "wrong"}, code: codes.Unauthenticated, reason: "unauthenticated"},
		{name: "right token", o: Options{Tokens: tokens(telemetry.NewSecret("right"))}, spans: spans(1), header: []string{"authorization", "Bearer right"}, code: codes.OK},
		{name: "too large", o: Options{MaxRequestBytes: 100}, spans: spans(5), code: codes.ResourceExhausted, reason: "too_large"},
		{name: "no room", err: noRoom(), spans: spans(1), code: codes.Unavailable, retry: 2 * time.Second, reason: "no_room"},
		{name: "too fast", err: telemetry.Errorf(telemetry.Overloaded, "slow down"), spans: spans(1), code: codes.ResourceExhausted, retry: 2 * time.Second, reason: "no_room"},
		{name: "a loop", o: Options{Instance: "me"}, spans: spans(1), header: []string{"treq-hop", "me"}, code: codes.InvalidArgument, reason: "loop"},
		{name: "words that are not ASCII", err: telemetry.Errorf(telemetry.Invalid, "100 %% ñão\n"), spans: spans(1), code: codes.InvalidArgument, reason: "invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Log = &fakeLog{err: tt.err}
			i := New(tt.o)
			conn := dial(t, i.GRPC())
			ctx := metadata.AppendToOutgoingContext(t.Context(), tt.header...)
			_, err := tracepb.NewTraceServiceClient(conn).Export(ctx, message(t, tt.spans, &tracepb.ExportTraceServiceRequest{}))
			s := status.Convert(err)
			var retry time.Duration
			for _, d := range s.Details() {
				if info, ok := d.(*errdetails.RetryInfo); ok {
					retry = info.RetryDelay.AsDuration()
				}
			}
			if s.Code() != tt.code || retry != tt.retry || tt.err != nil && s.Message() != tt.err.Error() {
				t.Errorf("%v %q, retry after %v", s.Code(), s.Message(), retry)
			}
			for reason, n := range i.Stats()[1].Refused {
				if (n == 1) != (reason == tt.reason) {
					t.Errorf("refused %s: %d", reason, n)
				}
			}
			checkIdle(t, i)
		})
	}
}

// What no ordinary client sends.
func TestGRPCOnTheWire(t *testing.T) {
	const export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	frame := func(flag byte, b []byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(b))), b...)
	}
	good := frame(0, spans(1))
	tests := []struct {
		name, path, contentType, encoding string
		body                              []byte
		status                            string
		httpStatus                        int
	}{
		{name: "good", body: good, status: "0"},
		{name: "with +proto", contentType: "application/grpc+proto", body: good, status: "0"},
		{name: "zstd", encoding: "zstd", body: frame(1, zstded(spans(1))), status: "0"},
		{name: "deflate", encoding: "deflate", body: frame(1, deflated(spans(1))), status: "0"},
		{name: "an encoding that is not used", encoding: "gzip", body: good, status: "0"},
		{name: "no message", status: "3"},
		{name: "half a prefix", body: good[:3], status: "3"},
		{name: "half a message", body: good[:20], status: "3"},
		{name: "two messages", body: append(bytes.Clone(good), good...), status: "3"},
		{name: "compressed with nothing", body: frame(1, spans(1)), status: "3"},
		{name: "flags nobody knows", body: frame(2, spans(1)), status: "3"},
		{name: "not OTLP", body: frame(0, []byte("\xff\xff\xff")), status: "3"},
		{name: "unknown encoding", encoding: "snappy", body: frame(1, spans(1)), status: "12"},
		{name: "unknown method", path: "/opentelemetry.proto.collector.trace.v1.TraceService/Import", body: good, status: "12"},
		{name: "JSON messages", contentType: "application/grpc+json", body: good, status: "12"},
		{name: "4 GiB announced", body: []byte("\x00\xff\xff\xff\xff"), status: "8"},
		{name: "no gRPC", contentType: "application/json", body: []byte("{}"), httpStatus: 415},
	}
	i := New(Options{Log: nullLog{}})
	address := serve(t, i.GRPC())
	client := h2Client(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.path == "" {
				tt.path = export
			}
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+tt.path, bytes.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/grpc")
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			r.Header.Set("Grpc-Encoding", tt.encoding)
			w, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Body.Close()
			body, err := io.ReadAll(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if tt.httpStatus != 0 {
				if w.StatusCode != tt.httpStatus {
					t.Errorf("%d", w.StatusCode)
				}
				return
			}
			got := w.Header.Get("Grpc-Status") + w.Trailer.Get("Grpc-Status")
			if w.StatusCode != 200 || got != tt.status || (got == "0") != (string(body) == "\x00\x00\x00\x00\x00") {
				t.Errorf("%d, status %q, body %q, header %v, trailer %v", w.StatusCode, got, body, w.Header, w.Trailer)
			}
		})
	}
	checkIdle(t, i)
}

func h2Client(t *testing.T) *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Who may not come in is told so before the body is read, however long it is.
func TestGRPCDecidesBeforeTheBody(t *testing.T) {
	address := serve(t, New(Options{Log: nullLog{}, Tokens: tokens(telemetry.NewSecret("x"))}).GRPC())
	body, never := io.Pipe()
	defer never.Close()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/opentelemetry.proto.collector.trace.v1.TraceService/Export", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/grpc")
	w, err := h2Client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if got := w.Header.Get("Grpc-Status"); got != "16" {
		t.Errorf("status %q", got)
	}
}

func TestGRPCTimeout(t *testing.T) {
	tests := []struct {
		header string
		want   time.Duration // 0: none
	}{
		{"", 0},
		{"1", 0},
		{"S", 0},
		{"5S", 5 * time.Second},
		{"2H", 2 * time.Hour},
		{"3M", 3 * time.Minute},
		{"100m", 100 * time.Millisecond},
		{"99999999u", 99999999 * time.Microsecond},
		{"7n", 7},
		{"123456789S", 0},
		{"-1S", 0},
		{"1x", 0},
		{"99999999H", 0},
	}
	for _, tt := range tests {
		ctx, cancel := withTimeout(context.Background(), tt.header)
		deadline, ok := ctx.Deadline()
		if ok != (tt.want > 0) || ok && time.Until(deadline) > tt.want {
			t.Errorf("%q: %v %v", tt.header, deadline, ok)
		}
		cancel()
	}
	log := &fakeLog{during: func(ctx context.Context) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the client's deadline is not the append's")
		}
	}}
	conn := dial(t, New(Options{Log: log}).GRPC())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := tracepb.NewTraceServiceClient(conn).Export(ctx, message(t, spans(1), &tracepb.ExportTraceServiceRequest{})); err != nil {
		t.Error(err)
	}
}
