package promapi

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// form are the parameters of a request, read as Prometheus reads them.
type form struct{ values url.Values }

func (f form) get(name string) string { return f.values.Get(name) }

// invalid names the parameter that is wrong.
func invalid(name string, err error) error {
	return fail(badData, "invalid parameter %q: %w", name, err)
}

// The times that stand for no bound.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

func parseTime(s string) (time.Time, error) {
	if t, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(t) && !math.IsInf(t, 0) {
		whole, part := math.Modf(t)
		return time.Unix(int64(whole), int64(math.Round(part*1000)/1000*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	switch s {
	case minTime.Format(time.RFC3339Nano):
		return minTime, nil
	case maxTime.Format(time.RFC3339Nano):
		return maxTime, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", s)
}

// time reads a time; one that is not there is the default.
func (f form) time(name string, otherwise time.Time) (time.Time, error) {
	text := f.get(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := parseTime(text)
	if err != nil {
		return time.Time{}, invalid(name, fmt.Errorf("invalid time value for '%s': %w", name, err))
	}
	return t, nil
}

// mustTime reads a time that has no default.
func (f form) mustTime(name string) (time.Time, error) {
	t, err := parseTime(f.get(name))
	if err != nil {
		return time.Time{}, invalid(name, err)
	}
	return t, nil
}

// between reads start and end, which need not be there.
func (f form) between() (start, end int64, err error) {
	from, err := f.time("start", minTime)
	if err != nil {
		return 0, 0, err
	}
	until, err := f.time("end", maxTime)
	if err != nil {
		return 0, 0, err
	}
	return from.UnixMilli(), until.UnixMilli(), nil
}

func parseDuration(s string) (time.Duration, error) {
	if d, err := strconv.ParseFloat(s, 64); err == nil {
		ts := d * float64(time.Second)
		if !(ts <= float64(math.MaxInt64) && ts >= float64(math.MinInt64)) {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", s)
		}
		return time.Duration(ts), nil
	}
	if d, err := model.ParseDuration(s); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", s)
}

// limit reads the most results that are wanted; 0 is no limit.
func (f form) limit() (int, error) {
	text := f.get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err == nil && n < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil {
		return 0, invalid("limit", err)
	}
	return n, nil
}
