package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// Address is where to listen. The zero value is off.
type Address struct {
	// HostPort is host:port; an empty host is every interface, port 0 any free one.
	HostPort string
	// Explicit tells that somebody asked for this address, so that a port that is
	// taken is an error rather than a warning (docs/api.md, section 4).
	Explicit bool
}

// Off tells whether nothing listens.
func (a Address) Off() bool { return a.HostPort == "" }

// Loopback tells whether only this machine can reach the address.
func (a Address) Loopback() bool {
	host, _, err := net.SplitHostPort(a.HostPort)
	if err != nil {
		return false
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// String gives the text UnmarshalText reads.
func (a Address) String() string {
	if a.Off() {
		return "off"
	}
	return a.HostPort
}

// MarshalText gives what String gives.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads host:port, :port, or "off" (also ""). The address is
// explicit from then on.
func (a *Address) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "" || s == "off" {
		*a = Address{Explicit: true}
		return nil
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is no address: want host:port, :port for every interface, or off", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port: want a number of 0 to 65535 behind the colon", s)
	} else if n == 0 && port != "0" {
		return fmt.Errorf("%q has no port: write a single 0 for any free one", s)
	}
	*a = Address{HostPort: s, Explicit: true}
	return nil
}

// Duration is a time span, written like 90s, 15m, 24h or 7d.
type Duration time.Duration

// String gives the shortest text UnmarshalText reads.
func (d Duration) String() string {
	const day = 24 * time.Hour
	v := time.Duration(d)
	if v > day && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	s := v.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}

// MarshalText gives what String gives.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads, and whole or fractional days (7d).
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	wrong := fmt.Errorf("%q is no duration: want a number with a unit, like 90s, 15m, 24h or 7d", s)
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseFloat(n, 64)
		v := days * float64(24*time.Hour)
		if err != nil || math.IsNaN(v) || math.Abs(v) > math.MaxInt64/2 {
			return wrong
		}
		*d = Duration(v)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return wrong
	}
	*d = Duration(v)
	return nil
}

// Size is a number of bytes, written like 64MiB, 10GiB or 65536.
type Size int64

// sizeUnits from the largest; every one is a power of 1024, whichever way it is
// written, because a limit that is a little larger than meant does no harm.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"TB", 1 << 40},
	{"GB", 1 << 30},
	{"MB", 1 << 20},
	{"KB", 1 << 10},
	{"T", 1 << 40},
	{"G", 1 << 30},
	{"M", 1 << 20},
	{"K", 1 << 10},
	{"B", 1},
}

// String gives the shortest text UnmarshalText reads.
func (s Size) String() string {
	if s == 0 {
		return "0"
	}
	for _, u := range sizeUnits[:4] {
		if int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText gives what String gives.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a whole number of bytes, KiB, MiB, GiB or TiB.
func (s *Size) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	number, unit := t, int64(1)
	for _, u := range sizeUnits {
		if n := len(t) - len(u.suffix); n > 0 && strings.EqualFold(t[n:], u.suffix) {
			number, unit = strings.TrimSpace(t[:n]), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is no size: want bytes, or a whole number of KiB, MiB, GiB or TiB, like 64MiB", t)
	}
	if n > math.MaxInt64/unit {
		return errors.New("the size is larger than any disk")
	}
	*s = Size(n * unit)
	return nil
}
