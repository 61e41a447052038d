package fault

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"

	"treq/telemetry"
)

// DefaultRetryAfter is what an Unavailable or Overloaded answer hints at where
// the error names no time of its own.
const DefaultRetryAfter = 2 * time.Second

// row is what one kind of error is on the wire.
type row struct {
	status int
	code   codes.Code
	retry  bool
}

// table is indexed by telemetry.Kind. TooLarge is RESOURCE_EXHAUSTED without a
// RetryInfo, which tells an OTLP client to give up; Overloaded is the same code
// with one, which tells it to wait.
var table = [...]row{
	telemetry.Internal:        {http.StatusInternalServerError, codes.Internal, false},
	telemetry.Invalid:         {http.StatusBadRequest, codes.InvalidArgument, false},
	telemetry.Unprocessable:   {http.StatusUnprocessableEntity, codes.InvalidArgument, false},
	telemetry.TooLarge:        {http.StatusRequestEntityTooLarge, codes.ResourceExhausted, false},
	telemetry.Unsupported:     {http.StatusUnsupportedMediaType, codes.Unimplemented, false},
	telemetry.Unavailable:     {http.StatusServiceUnavailable, codes.Unavailable, true},
	telemetry.Overloaded:      {http.StatusTooManyRequests, codes.ResourceExhausted, true},
	telemetry.Unauthenticated: {http.StatusUnauthorized, codes.Unauthenticated, false},
	telemetry.Forbidden:       {http.StatusForbidden, codes.PermissionDenied, false},
	telemetry.NotFound:        {http.StatusNotFound, codes.NotFound, false},
	telemetry.Misdirected:     {http.StatusMisdirectedRequest, codes.FailedPrecondition, false},
	telemetry.Conflict:        {http.StatusConflict, codes.FailedPrecondition, false},
}

// MethodError refuses a method on a path that exists. Allow is the value of the
// Allow header, such as "GET, HEAD".
type MethodError struct{ Allow string }

// Error names the methods that work.
func (e *MethodError) Error() string { return "method not allowed here; use " + e.Allow }

// Answer is what an error is on the wire.
type Answer struct {
	// Status is the HTTP status.
	Status int
	// Code is the gRPC code.
	Code codes.Code
	// Message is for the client.
	Message string
	// RetryAfter is 0 where trying again cannot help; else at least a second
	// and whole seconds.
	RetryAfter time.Duration
	// Allow is the Allow header of a 405, else "".
	Allow string
}

// Of gives the answer for err. A cancelled or late request is Unavailable: it
// was not kept, so the client should send it again. The text of an error
// without a kind is ours alone and never shown.
func Of(err error) Answer {
	if m, ok := errors.AsType[*MethodError](err); ok {
		return Answer{Status: http.StatusMethodNotAllowed, Code: codes.Unimplemented, Message: m.Error(), Allow: m.Allow}
	}
	e, ok := errors.AsType[*telemetry.Error](err)
	if !ok {
		if v, ok := errors.AsType[*Validation](err); ok {
			e = telemetry.Errorf(telemetry.Unprocessable, "%s", v.Error())
		} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			e = telemetry.Errorf(telemetry.Unavailable, "the request was given up before it was kept; send it again")
		} else {
			e = telemetry.Errorf(telemetry.Internal, "internal error")
		}
	}
	r := table[telemetry.Internal]
	if int(e.Kind) < len(table) {
		r = table[e.Kind]
	}
	a := Answer{Status: r.status, Code: r.code, Message: e.Message}
	if r.retry {
		a.RetryAfter = wholeSeconds(e.RetryAfter)
	}
	return a
}

// wholeSeconds rounds up, since Retry-After has no fractions and a shorter wait
// than asked for would be refused again.
func wholeSeconds(d time.Duration) time.Duration {
	if d <= 0 {
		d = DefaultRetryAfter
	}
	return (d + time.Second - 1) / time.Second * time.Second
}
