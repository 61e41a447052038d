package export

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// action is what to do about an attempt.
type action uint8

const (
	// succeed: the sink has it.
	succeed action = iota
	// retry: the same again, later.
	retry
	// pause: the same again, much later; only a person can mend it.
	pause
	// split: send less at once.
	split
	// bisect: find the span at fault.
	bisect
	// bury: it will never be taken; into the dead-letter file as it is.
	bury
)

// maxRetryAfter caps what a sink may ask for.
const maxRetryAfter = time.Hour

// judge gives the action for a status, as docs/architecture.md, section 2, and
// the OTLP specification say. An address that redirects or does not exist is a
// matter of configuration, as a wrong key is, and no fault of the batch: it
// pauses, and nothing is lost over a typing error.
func (p profile) judge(status int) action {
	switch {
	case status >= 200 && status <= 299:
		return succeed
	case slices.Contains(p.retryable, status):
		return retry
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retry
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired,
		http.StatusNotFound, http.StatusMethodNotAllowed:
		return pause
	case http.StatusRequestEntityTooLarge:
		return split
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return bisect
	}
	if status >= 300 && status <= 399 {
		return pause
	}
	return bury
}

// retryAfter reads the header in both its forms; 0 if there is none, or none
// that parses, or a time that has passed.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(max(0, min(seconds, int64(maxRetryAfter/time.Second)))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, min(at.Sub(now), maxRetryAfter))
}
