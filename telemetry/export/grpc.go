package export

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // the compressor of that name
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
)

// exportMethod is the one that takes traces.
const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// rawCodec sends and receives messages that are encoded already: *[]byte both ways.
type rawCodec struct{}

// Name is that of the encoding on the wire.
func (rawCodec) Name() string { return "proto" }

// Marshal gives the bytes.
func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("message of type %T", v)
	}
	return *b, nil
}

// Unmarshal keeps a copy of the bytes.
func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("message of type %T", v)
	}
	*b = append((*b)[:0], data...)
	return nil
}

// dialGRPC makes the connection of a sink that speaks gRPC. It connects when it is
// first used.
func dialGRPC(target *url.URL, c Config, d Deps) (*grpc.ClientConn, error) {
	port := target.Port()
	secure := target.Scheme == "https"
	if port == "" {
		if port = "80"; secure {
			port = "443"
		}
	}
	security := insecure.NewCredentials()
	if secure {
		settings, err := c.TLS.settings()
		if err != nil {
			return nil, err
		}
		security = credentials.NewTLS(settings)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(security), grpc.WithUserAgent(userAgent(d)),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(maxAnswer)),
	}
	if d.Proxy == nil {
		options = append(options, grpc.WithNoProxy())
	}
	return grpc.NewClient("dns:///"+target.Hostname()+":"+port, options...)
}

// call makes one attempt over gRPC.
func (s *sender) call(ctx context.Context, to route, b body) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	fields := metadata.MD{}
	for name, values := range s.headerFor(to) {
		switch name {
		case "Content-Type", "User-Agent":
		default:
			fields.Set(strings.ToLower(name), values...)
		}
	}
	message := make([]byte, 0, b.size)
	for _, chunk := range b.chunks {
		message = append(message, chunk...)
	}
	var options []grpc.CallOption
	if s.gzip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	var answer []byte
	err := s.grpc.Invoke(metadata.NewOutgoingContext(ctx, fields), exportMethod, &message, &answer, options...)
	if err == nil {
		out := outcome{action: succeed, status: http.StatusOK}
		var remark string
		if out.rejected, remark = partialSuccess("application/x-protobuf", answer); out.rejected > 0 || remark != "" {
			out.reason = s.secrets.scrub(partialReason(out.rejected, remark))
		}
		return out
	}
	told := grpcstatus.Convert(err)
	out := judgeGRPC(told)
	out.reason = s.secrets.scrub(strings.TrimSuffix(fmt.Sprintf("gRPC %s: %s", told.Code(), told.Message()), ": "))
	out.timeout = told.Code() == codes.DeadlineExceeded
	return out
}

// judgeGRPC gives the action for a status, as the OTLP specification says, and as
// [profile.judge] does where that leaves data without an end.
func judgeGRPC(told *grpcstatus.Status) (out outcome) {
	for _, detail := range told.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.RetryDelay != nil {
			out.asked = min(max(0, info.RetryDelay.AsDuration()), maxRetryAfter)
		}
	}
	switch told.Code() {
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.NotFound:
		out.action = pause
	case codes.InvalidArgument, codes.OutOfRange:
		out.action = bisect
	case codes.ResourceExhausted:
		// A quota without a word about when, and a message that is too large, look the same
		// but for the words.
		if out.action = retry; strings.Contains(told.Message(), "larger than max") {
			out.action = split
		}
	case codes.Internal, codes.Unknown:
		out.action, out.status = retry, http.StatusInternalServerError
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.Unavailable, codes.DataLoss:
		out.action = retry
	default:
		out.action = bury
	}
	return out
}

// closeGRPC ends the connection within a moment.
func (s *sender) closeGRPC() {
	if s.grpc != nil {
		_ = s.grpc.Close() // there is nothing left to be told
	}
}

// userAgent names the program.
func userAgent(d Deps) string {
	return "OTel-OTLP-Exporter-Go/" + d.Version + " treq-telemetry/" + d.Version
}
