package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Window is a part of every day, or of some days of the week, in which only
// critical alerts are delivered: "22:00-07:00", or "sat-sun 00:00-24:00". A window
// that ends at or before the hour it starts at ends on the next day. The zero
// value is never.
type Window struct {
	from, to int   // minutes of the day; to may be 1440
	days     uint8 // bit n is time.Weekday n; the day that the window starts on
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const everyDay = 1<<7 - 1

// UnmarshalText reads "[DAY[-DAY] ]HH:MM-HH:MM".
func (w *Window) UnmarshalText(text []byte) error {
	wrong := fmt.Errorf("%q is no window: want hours like 22:00-07:00, with days like mon-fri before them", text)
	days, hours := "", strings.TrimSpace(string(text))
	if before, after, found := strings.Cut(hours, " "); found {
		days, hours = strings.ToLower(before), strings.TrimSpace(after)
	}
	out := Window{days: everyDay}
	if days != "" {
		first, last, isRange := strings.Cut(days, "-")
		if !isRange {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			return wrong
		}
		out.days = 0
		for day := from; ; day = (day + 1) % 7 {
			out.days |= 1 << day
			if day == to {
				break
			}
		}
	}
	from, to, found := strings.Cut(hours, "-")
	if !found {
		return wrong
	}
	var ok bool
	if out.from, ok = minutes(from); !ok || out.from == 24*60 {
		return wrong
	}
	if out.to, ok = minutes(to); !ok || out.from == out.to {
		return wrong
	}
	*w = out
	return nil
}

func weekday(name string) int {
	for i, d := range weekdays {
		if d == name {
			return i
		}
	}
	return -1
}

func minutes(text string) (int, bool) {
	hour, minute, found := strings.Cut(strings.TrimSpace(text), ":")
	h, err := strconv.ParseUint(hour, 10, 8)
	m, err2 := strconv.ParseUint(minute, 10, 8)
	if !found || err != nil || err2 != nil || len(minute) != 2 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h*60 + m), true
}

// String gives the text UnmarshalText reads.
func (w Window) String() string {
	hours := fmt.Sprintf("%02d:%02d-%02d:%02d", w.from/60, w.from%60, w.to/60, w.to%60)
	if w.days == everyDay || w.days == 0 {
		return hours
	}
	first := 0
	for first < 7 && !(w.on(first) && !w.on((first+6)%7)) {
		first++
	}
	last := first
	for w.on((last + 1) % 7) {
		last = (last + 1) % 7
	}
	if first == last {
		return weekdays[first] + " " + hours
	}
	return weekdays[first] + "-" + weekdays[last] + " " + hours
}

func (w Window) on(day int) bool { return w.days&(1<<day) != 0 }

// MarshalText gives what String gives.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// end gives when the window that t lies in ends, in t's own zone.
func (w Window) end(t time.Time) (time.Time, bool) {
	for back := range 2 {
		year, month, day := t.AddDate(0, 0, -back).Date()
		start := time.Date(year, month, day, 0, w.from, 0, 0, t.Location())
		last := day
		if w.to <= w.from {
			last++
		}
		end := time.Date(year, month, last, 0, w.to, 0, 0, t.Location())
		if w.on(int(start.Weekday())) && !t.Before(start) && t.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

// quietUntil gives when the last of the windows that t lies in, one after the
// other, ends; zero when t lies in none. Windows that never end are as long as
// two weeks.
func quietUntil(windows []Window, t time.Time) time.Time {
	var until time.Time
	for range 64 {
		further := false
		for _, w := range windows {
			if end, in := w.end(t); in {
				t, until, further = end, end, true
			}
		}
		if !further {
			break
		}
	}
	return until
}
