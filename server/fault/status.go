package fault

import (
	"bytes"
	"encoding/json"
	"net/http"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// RPC gives the answer as a google.rpc.Status: with a RetryInfo where trying
// again helps, with a BadRequest where the input is at fault.
func (a Answer) RPC() *spb.Status {
	s := &spb.Status{Code: int32(a.Code), Message: a.Message}
	var detail proto.Message
	switch {
	case a.RetryAfter > 0:
		detail = &errdetails.RetryInfo{RetryDelay: durationpb.New(a.RetryAfter)}
	case a.Code == codes.InvalidArgument:
		detail = &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Description: a.Message}}}
	default:
		return s
	}
	packed, err := anypb.New(detail)
	if err != nil {
		return s
	}
	s.Details = []*anypb.Any{packed}
	return s
}

// WriteOTLP answers err as a google.rpc.Status, in JSON or in protobuf.
func WriteOTLP(w http.ResponseWriter, err error, asJSON bool) {
	a := Of(err)
	a.headers(w.Header())
	if asJSON {
		write(w, a.Status, "application/json", a.json())
		return
	}
	body, err := proto.Marshal(a.RPC())
	if err != nil {
		body = nil
	}
	write(w, a.Status, "application/x-protobuf", body)
}

// json compacts what protojson gives, since that puts spaces at random.
func (a Answer) json() []byte {
	var b bytes.Buffer
	raw, err := protojson.Marshal(a.RPC())
	if err != nil || json.Compact(&b, raw) != nil {
		return []byte(`{"code":13}`)
	}
	return b.Bytes()
}
