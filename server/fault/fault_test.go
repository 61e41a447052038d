package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"treq/telemetry"
)

func kind(k telemetry.Kind) error { return telemetry.Errorf(k, "why") }

func TestOf(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want Answer
	}{
		{"internal", kind(telemetry.Internal), Answer{500, codes.Internal, "why", 0, ""}},
		{"invalid", kind(telemetry.Invalid), Answer{400, codes.InvalidArgument, "why", 0, ""}},
		{"unprocessable", kind(telemetry.Unprocessable), Answer{422, codes.InvalidArgument, "why", 0, ""}},
		{"too large must not be retried", kind(telemetry.TooLarge), Answer{413, codes.ResourceExhausted, "why", 0, ""}},
		{"unsupported", kind(telemetry.Unsupported), Answer{415, codes.Unimplemented, "why", 0, ""}},
		{"unavailable", kind(telemetry.Unavailable), Answer{503, codes.Unavailable, "why", DefaultRetryAfter, ""}},
		{"overloaded is retried", kind(telemetry.Overloaded), Answer{429, codes.ResourceExhausted, "why", DefaultRetryAfter, ""}},
		{"unauthenticated", kind(telemetry.Unauthenticated), Answer{401, codes.Unauthenticated, "why", 0, ""}},
		{"forbidden", kind(telemetry.Forbidden), Answer{403, codes.PermissionDenied, "why", 0, ""}},
		{"not found", kind(telemetry.NotFound), Answer{404, codes.NotFound, "why", 0, ""}},
		{"misdirected", kind(telemetry.Misdirected), Answer{421, codes.FailedPrecondition, "why", 0, ""}},
		{"conflict", kind(telemetry.Conflict), Answer{409, codes.FailedPrecondition, "why", 0, ""}},
		{"a kind nobody knows", kind(200), Answer{500, codes.Internal, "why", 0, ""}},
		{"wrapped", fmt.Errorf("outer: %w", kind(telemetry.Invalid)), Answer{400, codes.InvalidArgument, "why", 0, ""}},
		{"the cause is not told", &telemetry.Error{Kind: telemetry.Invalid, Message: "m", Err: errors.New("secret")}, Answer{400, codes.InvalidArgument, "m", 0, ""}},
		{"an error without a kind is not told", errors.New("secret"), Answer{500, codes.Internal, "internal error", 0, ""}},
		{"a method", &MethodError{"POST"}, Answer{405, codes.Unimplemented, "method not allowed here; use POST", 0, "POST"}},
		{"a client that went", context.Canceled, Answer{503, codes.Unavailable, "the request was given up before it was kept; send it again", DefaultRetryAfter, ""}},
		{"a deadline", fmt.Errorf("x: %w", context.DeadlineExceeded), Answer{503, codes.Unavailable, "the request was given up before it was kept; send it again", DefaultRetryAfter, ""}},
		{"a fraction of a second is waited for", &telemetry.Error{Kind: telemetry.Unavailable, RetryAfter: time.Millisecond}, Answer{503, codes.Unavailable, "", time.Second, ""}},
		{"whole seconds stay", &telemetry.Error{Kind: telemetry.Overloaded, RetryAfter: 3 * time.Second}, Answer{429, codes.ResourceExhausted, "", 3 * time.Second, ""}},
		{"a wait that cannot help", &telemetry.Error{Kind: telemetry.Invalid, RetryAfter: time.Second}, Answer{400, codes.InvalidArgument, "", 0, ""}},
		{"parameters", &Validation{[]FieldError{{Loc: []any{"query", "a"}, Msg: "no"}, {Loc: []any{"body", 3}, Msg: "nor"}}}, Answer{422, codes.InvalidArgument, "query.a: no; body: nor", 0, ""}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Of(tt.err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestEveryKindHasARow(t *testing.T) {
	if len(table) != int(telemetry.Conflict)+1 {
		t.Fatalf("%d rows", len(table))
	}
	for k, r := range table {
		if r.status == 0 || r.code == codes.OK {
			t.Errorf("kind %d has no row", k)
		}
	}
}

func TestWriteProblem(t *testing.T) {
	tests := []struct {
		err                     error
		contentType, body       string
		retry, allow, challenge string
	}{
		{err: kind(telemetry.NotFound), contentType: "application/problem+json", body: `{"title":"Not Found","status":404,"detail":"why"}`},
		{err: telemetry.Errorf(telemetry.Invalid, "<&>\"é"), contentType: "application/problem+json", body: `{"title":"Bad Request","status":400,"detail":"<&>\"é"}`},
		{err: kind(telemetry.Unavailable), contentType: "application/problem+json", body: `{"title":"Service Unavailable","status":503,"detail":"why"}`, retry: "2"},
		{err: kind(telemetry.Unauthenticated), contentType: "application/problem+json", body: `{"title":"Unauthorized","status":401,"detail":"why"}`, challenge: `Bearer realm="treq-telemetry"`},
		{err: &MethodError{"GET, HEAD"}, contentType: "application/problem+json", body: `{"title":"Method Not Allowed","status":405,"detail":"method not allowed here; use GET, HEAD"}`, allow: "GET, HEAD"},
		{
			err:         &Validation{[]FieldError{{Type: "missing", Loc: []any{"query", "a"}, Msg: "Field required", Input: json.RawMessage("null")}}},
			contentType: "application/json", body: `{"detail":[{"type":"missing","loc":["query","a"],"msg":"Field required","input":null}]}`,
		},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		WriteProblem(w, tt.err)
		h := w.Header()
		if w.Code != Of(tt.err).Status || h.Get("Content-Type") != tt.contentType || w.Body.String() != tt.body ||
			h.Get("Retry-After") != tt.retry || h.Get("Allow") != tt.allow || h.Get("WWW-Authenticate") != tt.challenge ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v %s\nwant %+v", w.Code, h, w.Body, tt)
		}
	}
}

// OTLP's table of details: RetryInfo only where trying again helps, BadRequest where the input is at fault.
func TestWriteOTLP(t *testing.T) {
	for _, err := range []error{
		kind(telemetry.Internal), kind(telemetry.Invalid), kind(telemetry.TooLarge), kind(telemetry.Unsupported),
		kind(telemetry.Unavailable), kind(telemetry.Overloaded), kind(telemetry.Unauthenticated), &MethodError{"POST"},
	} {
		for _, asJSON := range []bool{false, true} {
			w := httptest.NewRecorder()
			WriteOTLP(w, err, asJSON)
			var s spb.Status
			var decodeErr error
			contentType := "application/x-protobuf"
			if asJSON {
				contentType = "application/json"
				decodeErr = protojson.Unmarshal(w.Body.Bytes(), &s)
				if strings.ContainsAny(w.Body.String(), " \n") && !strings.Contains(Of(err).Message, " ") {
					t.Errorf("not compact: %s", w.Body)
				}
			} else {
				decodeErr = proto.Unmarshal(w.Body.Bytes(), &s)
			}
			a := Of(err)
			if decodeErr != nil || w.Code != a.Status || w.Header().Get("Content-Type") != contentType || s.Code != int32(a.Code) || s.Message != a.Message {
				t.Errorf("%v: %d %v %v %v", err, w.Code, w.Header(), decodeErr, &s)
				continue
			}
			if got := details(t, &s); got != wantedDetails(a) {
				t.Errorf("%v: details %q, want %q", err, got, wantedDetails(a))
			}
		}
	}
}

func wantedDetails(a Answer) string {
	switch {
	case a.RetryAfter > 0:
		return "retry after 2s"
	case a.Code == codes.InvalidArgument:
		return "bad request: why"
	}
	return ""
}

func details(t *testing.T, s *spb.Status) string {
	t.Helper()
	var all []string
	for _, d := range s.Details {
		m, err := d.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case *errdetails.RetryInfo:
			all = append(all, "retry after "+m.RetryDelay.AsDuration().String())
		case *errdetails.BadRequest:
			all = append(all, "bad request: "+m.FieldViolations[0].Description)
		}
	}
	return strings.Join(all, ", ")
}
