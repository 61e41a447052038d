package objective

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unit is what the numbers of a metric are counted in. Files may write a number
// with it: 10%, 2s, 4GB. The zero value is a bare number.
type Unit string

// The units.
const (
	Number       Unit = ""
	Ratio        Unit = "ratio"
	Milliseconds Unit = "ms"
	Seconds      Unit = "s"
	Megabytes    Unit = "MB"
	USD          Unit = "USD"
	Tokens       Unit = "tokens"
	Times        Unit = "times"
	Spans        Unit = "spans"
)

// Suffix is the ending of a JSON key that holds such a number, such as "_ms"; ""
// for a bare one.
func (u Unit) Suffix() string {
	switch u {
	case Ratio:
		return "_ratio"
	case Milliseconds:
		return "_ms"
	case Seconds:
		return "_seconds"
	case Megabytes:
		return "_mb"
	case USD:
		return "_usd"
	}
	return ""
}

// spellings are the endings that a file may write, with what one of them is in
// the unit.
var spellings = map[Unit]map[string]float64{
	Ratio:        {"%": 0.01},
	Milliseconds: {"ms": 1, "s": 1000, "m": 60_000},
	Seconds:      {"s": 1, "m": 60, "h": 3600, "d": 86400},
	Megabytes:    {"MB": 1, "GB": 1000},
	USD:          {"USD": 1},
	Times:        {"x": 1},
}

// parse reads a number, bare or with an ending.
func (u Unit) parse(text string) (float64, error) {
	number, factor := strings.TrimSpace(text), 1.0
	for ending, f := range spellings[u] {
		rest, ok := strings.CutSuffix(number, ending)
		if _, err := strconv.ParseFloat(strings.TrimSpace(rest), 64); ok && err == nil {
			number, factor = strings.TrimSpace(rest), f
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("want a number%s", u.hint())
	}
	if factor == 0.01 {
		return v / 100, nil // 1.1 % is 0.011, not 0.011000000000000001
	}
	return v * factor, nil
}

func (u Unit) hint() string {
	switch u {
	case Ratio:
		return " such as 0.1 or 10%"
	case Milliseconds:
		return " of milliseconds, or one such as 2s"
	case Seconds:
		return " of seconds, or one such as 5m"
	case Megabytes:
		return " of MB, or one such as 4GB"
	}
	return ""
}

// text writes a number for people; comma is the decimal separator.
func (u Unit) text(v float64, comma string) string {
	plain := func(v float64) string {
		return strings.Replace(strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64), ".", comma, 1)
	}
	switch {
	case u == Ratio:
		return plain(v*100) + "%"
	case u == Milliseconds && math.Abs(v) >= 1000:
		return plain(v/1000) + "s"
	case u == Seconds && math.Abs(v) >= 3600 && math.Mod(v, 3600) == 0:
		return plain(v/3600) + "h"
	case u == Seconds && math.Abs(v) >= 60 && math.Mod(v, 60) == 0:
		return plain(v/60) + "min"
	case u == Megabytes && math.Abs(v) >= 1000:
		return plain(v/1000) + "GB"
	case u == Milliseconds, u == Seconds, u == Megabytes:
		return plain(v) + string(u)
	case u == USD:
		return "US$ " + plain(v)
	case u == Times:
		return plain(v) + "×"
	}
	return plain(v)
}
