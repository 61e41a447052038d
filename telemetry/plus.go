package telemetry

import "math"

// Plus adds counts or amounts that are never negative, and stops at the largest number
// there is: what callers tell may add up to more, and must not turn negative.
func Plus(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
