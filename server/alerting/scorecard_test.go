package alerting

import (
	"math"
	"testing"
)

// What ends in a half is rounded alike, in whatever order it was added.
func TestSixDecimals(t *testing.T) {
	const half = 0.0150215
	for _, v := range []float64{half, math.Nextafter(half, 0), math.Nextafter(half, 1), 0.005 + 0.01 + 0.0000215, 0.0000215 + 0.01 + 0.005} {
		if got := sixDecimals(v); got != 0.015022 {
			t.Errorf("%.20f is %v", v, got)
		}
	}
	for v, want := range map[float64]float64{0: 0, 0.1603214: 0.160321, -1.5: -1.5, 2.5e11: 2.5e11} {
		if got := sixDecimals(v); got != want {
			t.Errorf("%v is %v, want %v", v, got, want)
		}
	}
}
