package api

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"treq/server/fault"
	"treq/telemetry"
)

// Narrow is what of the numbers is asked for. The zero value is all of them.
type Narrow struct {
	// Service is one service; "" is all.
	Service string
	// From is a time that Options.Window gave: only what was counted after it. Zero is
	// everything.
	From time.Time
}

// headerFrom tells from when on a window counts, where it does not hold everything.
const headerFrom = "Treq-Window-From"

// narrow reads ?service= and ?window= of a request.
func (a *API) narrow(ctx context.Context, q map[string]string) (Narrow, error) {
	n := Narrow{Service: q["service"]}
	text, asked := q["window"]
	if !asked {
		return n, nil
	}
	window, err := parseSpan(text)
	if err != nil {
		return n, windowError("duration_parsing", "Input should be "+err.Error(), text)
	}
	if a.o.Window == nil {
		return n, windowError("not_available", "Windows need the history, which is off; leave window out to get the totals", text)
	}
	n.From, err = a.o.Window(ctx, window)
	if e, ok := errors.AsType[*telemetry.Error](err); ok && e.Kind == telemetry.Unprocessable {
		return n, windowError("less_than_equal", e.Message, text)
	}
	return n, err
}

var errSpan = errors.New("a duration of at least 1s, such as 90s, 5m, 24h or 7d")

// parseSpan reads a duration above 0: what Go reads, and days.
func parseSpan(text string) (time.Duration, error) {
	var d time.Duration
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n < math.MaxInt64/float64(24*time.Hour) {
			d = time.Duration(n * float64(24*time.Hour))
		}
	} else if parsed, err := time.ParseDuration(text); err == nil {
		d = parsed
	}
	if d < time.Second {
		return 0, errSpan
	}
	return d, nil
}

// windowError refuses a window in the shape in which every bad parameter is refused.
func windowError(kind, message, value string) error {
	return &fault.Validation{Detail: []fault.FieldError{{Type: kind, Loc: []any{"query", "window"}, Msg: message, Input: quoted(value)}}}
}
