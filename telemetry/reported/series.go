package reported

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
)

// kind is what a series holds.
type kind uint8

const (
	gauge   kind = iota
	counter      // only grows
	updown       // adds up over series and may fall
	histogram
	exponential
)

// holds tells whether a family of kind k can take points of another kind. Gauges and
// sums that may fall are told apart by some SDKs and not by others (process.memory.usage
// is a gauge in JavaScript, a sum in Python), and Prometheus has one type for both; only
// differences need what they are added to.
func (k kind) holds(other kind, temporality pmetric.AggregationTemporality) bool {
	level := func(k kind) bool { return k == gauge || k == updown }
	return k == other || level(k) && level(other) && temporality == pmetric.AggregationTemporalityCumulative
}

// series is one series with its present state.
type series struct {
	*family
	attrs   attribute.Set
	service string
	seen    time.Time // admission of the last point
	state
}

// state is what a series' points told so far. Slices are replaced, never
// changed, because what was produced shares them.
type state struct {
	start, at time.Time // by the sender's clock

	value float64 // gauge, counter, updown
	// What a counter was one point earlier, for its rate.
	previous   float64
	previousAt time.Time

	count uint64 // histogram, exponential
	sum   float64

	bounds []float64 // histogram
	counts []uint64

	exponents
}

// plus gives the state after a delta of that kind.
func (s state) plus(delta state, k kind) state {
	sum := s
	sum.at = later(s.at, delta.at)
	sum.previous, sum.previousAt = s.value, s.at
	sum.value += delta.value
	sum.count += delta.count
	sum.sum += delta.sum
	if !finite(sum.value) || !finite(sum.sum) {
		return delta // as after a restart, rather than never a number again
	}
	switch k {
	case histogram:
		if !equalBounds(s.bounds, delta.bounds) {
			return delta // a restart with other bounds
		}
		sum.counts = make([]uint64, len(s.counts))
		for i := range sum.counts {
			sum.counts[i] = s.counts[i] + delta.counts[i]
		}
	case exponential:
		sum.exponents = s.exponents.plus(delta.exponents)
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func equalBounds(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
