package telemetry

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about an error. The server maps kinds to HTTP
// statuses and gRPC codes in one table. The zero value is Internal.
type Kind uint8

// The kinds of error.
const (
	// Internal is a fault of ours.
	Internal Kind = iota
	// Invalid input does not decode; sending it again cannot help.
	Invalid
	// Unprocessable input decodes and breaks a rule.
	Unprocessable
	// TooLarge input passes a limit on size or depth.
	TooLarge
	// Unsupported is a content type or encoding nobody here speaks.
	Unsupported
	// Unavailable is a lack of room or of readiness that passes; try again.
	Unavailable
	// Overloaded asks this one client to slow down; try again.
	Overloaded
	// Unauthenticated callers showed no valid token.
	Unauthenticated
	// Forbidden callers may not do this.
	Forbidden
	// NotFound names nothing that is here.
	NotFound
	// Misdirected requests name a host this process does not serve.
	Misdirected
	// Conflict is input that contradicts what is already known.
	Conflict
)

// Error is an error with a kind. Message is for the client and names the fault
// in words a person can act on; Err is for the log and never shown to clients.
type Error struct {
	Kind    Kind
	Message string
	Err     error
	// RetryAfter is a hint for Unavailable and Overloaded; 0 gives none.
	RetryAfter time.Duration
}

// Errorf makes an Error whose message is formatted from format and args.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Error gives the message and, behind a colon, the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the outermost *Error in err's chain, Internal if
// there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
