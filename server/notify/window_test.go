package notify

import (
	"testing"
	"time"
)

func window(t *testing.T, text string) Window {
	t.Helper()
	var w Window
	if err := w.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWindowText(t *testing.T) {
	for text, want := range map[string]string{
		"22:00-07:00": "22:00-07:00", " mon-fri 9:00-18:30": "mon-fri 09:00-18:30", "SAT-SUN 00:00-24:00": "sat-sun 00:00-24:00",
		"fri-mon 22:00-06:00": "fri-mon 22:00-06:00", "wed 12:00-13:00": "wed 12:00-13:00", "sun-sat 01:00-02:00": "01:00-02:00",
	} {
		if got := window(t, text).String(); got != want {
			t.Errorf("%q reads as %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{
		"", "22-07", "22:00", "25:00-07:00", "24:00-07:00", "22:60-07:00", "07:00-07:00", "day 22:00-07:00", "mon- 22:00-07:00", "22:0-07:00", "-1:00-07:00",
	} {
		if err := new(Window).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestQuietUntil(t *testing.T) {
	for _, c := range []struct {
		zone, at, want string // want "" is not quiet
		windows        []string
	}{
		{"America/Sao_Paulo", "2026-11-23 21:59", "", []string{"22:00-07:00"}},
		{"America/Sao_Paulo", "2026-11-23 22:00", "2026-11-24 07:00", []string{"22:00-07:00"}},
		{"America/Sao_Paulo", "2026-11-24 06:59", "2026-11-24 07:00", []string{"22:00-07:00"}},
		{"America/Sao_Paulo", "2026-11-24 07:00", "", []string{"22:00-07:00"}},
		// Saturday the 28th; the window of a day goes on into the next.
		{"UTC", "2026-11-28 03:00", "2026-11-28 07:00", []string{"mon-fri 22:00-07:00"}},
		{"UTC", "2026-11-28 23:00", "", []string{"mon-fri 22:00-07:00"}},
		// A quiet night runs into a quiet weekend, and that into another night.
		{"UTC", "2026-11-27 23:00", "2026-11-30 07:00", []string{"22:00-07:00", "sat-sun 00:00-24:00"}},
		// Clocks go forward at 02:00 and back at 02:00: the end is the clock's.
		{"America/New_York", "2026-03-07 23:00", "2026-03-08 07:00", []string{"22:00-07:00"}},
		{"America/New_York", "2026-10-31 23:00", "2026-11-01 07:00", []string{"22:00-07:00"}},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var windows []Window
		for _, text := range c.windows {
			windows = append(windows, window(t, text))
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if until := quietUntil(windows, at); !until.IsZero() {
			got = until.Format("2006-01-02 15:04")
		}
		if got != c.want {
			t.Errorf("%s in %s, %v: quiet until %q, want %q", c.at, c.zone, c.windows, got, c.want)
		}
	}
	always := []Window{window(t, "00:00-24:00")}
	if until := quietUntil(always, time.Now()); time.Until(until) < 7*24*time.Hour {
		t.Errorf("what is always quiet ends at %v", until)
	}
}
