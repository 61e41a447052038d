package ingest

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"treq/server/fault"
	"treq/telemetry"
	"treq/telemetry/compress"
	"treq/telemetry/otlp"
)

// methods are the gRPC methods of OTLP.
var methods = map[string]*signal{
	"/opentelemetry.proto.collector.trace.v1.TraceService/Export":     traces,
	"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": metrics,
	"/opentelemetry.proto.collector.logs.v1.LogsService/Export":       logs,
}

// IsGRPC tells whether r is a gRPC request: HTTP/2 with gRPC's content type.
func IsGRPC(r *http.Request) bool {
	return r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// GRPC gives the handler of OTLP/gRPC, for a server that speaks HTTP/2, with or
// without TLS; HTTP2 gives the settings that suit it.
//
// The three services have one unary method each, so the handler speaks the
// protocol itself. That lets it decide on the headers before anything of the body is read,
// take memory from the same budget as HTTP, and keep compressed bytes as they
// came; a general server decompresses before its handlers run.
func (i *Ingest) GRPC() http.Handler { return http.HandlerFunc(i.serveGRPC) }

func (i *Ingest) serveGRPC(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !IsGRPC(r) {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	q := &request{signal: methods[r.URL.Path], door: "grpc", counters: &i.grpc, limit: i.max.Load(), lease: lease{b: &i.budget}}
	defer q.end()
	ctx, cancel := withTimeout(r.Context(), r.Header.Get("Grpc-Timeout"))
	defer cancel()

	h := w.Header()
	h["Content-Type"] = typeGRPC
	h["Grpc-Accept-Encoding"] = acceptGRPC
	v, err := i.call(ctx, r, q)
	if err != nil {
		i.refuse(q, err)
		// Without a body the headers are the trailers.
		writeStatus(h, fault.Of(err))
		return
	}
	h["Trailer"] = trailerGRPC
	var message [5]byte
	body := otlp.AppendResponse(message[:], v)
	binary.BigEndian.PutUint32(body[1:], uint32(len(body)-len(message)))
	_, _ = w.Write(body)
	h["Grpc-Status"] = statusOK
}

// The values are shared by all answers and never changed.
var (
	typeGRPC    = []string{"application/grpc"}
	acceptGRPC  = []string{"gzip,zstd,deflate,identity"}
	trailerGRPC = []string{"Grpc-Status"}
	statusOK    = []string{"0"}
)

// call takes one request in; nothing of the body is read before the headers are accepted.
func (i *Ingest) call(ctx context.Context, r *http.Request, q *request) (otlp.Partial, error) {
	if q.signal == nil {
		return otlp.Partial{}, telemetry.Errorf(telemetry.Unsupported, "unknown method %s", r.URL.Path)
	}
	if err := i.enter(r.Header, q); err != nil {
		return otlp.Partial{}, err
	}
	switch r.Header.Get("Content-Type") {
	case "application/grpc", "application/grpc+proto":
	default:
		return otlp.Partial{}, telemetry.Errorf(telemetry.Unsupported, "messages are taken as application/grpc+proto")
	}
	encoding, err := compress.Parse(r.Header.Get("Grpc-Encoding"))
	if err != nil {
		return otlp.Partial{}, err
	}
	if err := i.readMessage(r.Body, q, encoding); err != nil {
		return otlp.Partial{}, err
	}
	return i.admit(ctx, q)
}

// readMessage reads the one message of a unary call: a flag, a length, the bytes.
func (i *Ingest) readMessage(body io.Reader, q *request, encoding compress.Encoding) error {
	var prefix [5]byte
	if _, err := io.ReadFull(body, prefix[:]); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return telemetry.Errorf(telemetry.Invalid, "the call carries no message")
		}
		return bodyError(err)
	}
	switch prefix[0] {
	case 0:
	case 1:
		if encoding == compress.Identity {
			return telemetry.Errorf(telemetry.Invalid, "the message is flagged as compressed, but grpc-encoding names no encoding")
		}
		q.encoding = encoding
	default:
		return telemetry.Errorf(telemetry.Invalid, "the message has unknown flags %#x", prefix[0])
	}
	size := int64(binary.BigEndian.Uint32(prefix[1:]))
	var err error
	if q.wire, err = readBody(body, q.encoding, size, q.limit, &q.lease); err != nil {
		return err
	}
	if n, _ := io.ReadFull(body, prefix[:1]); n > 0 {
		return telemetry.Errorf(telemetry.Invalid, "the call carries more than one message")
	}
	return nil
}

// writeStatus puts a status where an answer without a body has it.
func writeStatus(h http.Header, a fault.Answer) {
	h.Set("Grpc-Status", strconv.Itoa(int(a.Code)))
	h.Set("Grpc-Message", percentEncode(a.Message))
	if s := a.RPC(); len(s.Details) > 0 {
		if raw, err := proto.Marshal(s); err == nil {
			h.Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(raw))
		}
	}
}

// percentEncode writes a message as grpc-message wants it: printable ASCII but
// for the percent sign, everything else byte by byte.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// withTimeout bounds ctx as grpc-timeout says: at most eight digits and a unit.
// What cannot be read bounds nothing.
func withTimeout(ctx context.Context, v string) (context.Context, context.CancelFunc) {
	if len(v) < 2 || len(v) > 9 {
		return ctx, func() {}
	}
	n, err := strconv.ParseUint(v[:len(v)-1], 10, 32)
	unit := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second,
		'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}[v[len(v)-1]]
	if err != nil || unit == 0 || n > uint64(1<<62)/uint64(unit) {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(n)*unit)
}
