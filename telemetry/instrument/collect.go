package instrument

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// Point is one series of an instrument, with all that was measured on it since
// the process started.
type Point struct {
	Attributes attribute.Set
	// Total is a counter's value, or the sum of a histogram of whole numbers.
	Total int64
	// Sum is that of a histogram of floating-point numbers. It goes on from the
	// sum that Resume gave, and includes it.
	Sum float64
	// Count and Buckets are a histogram's: one bucket more than the instrument has bounds.
	Count     uint64
	Buckets   []uint64
	Exemplars []Exemplar
}

// Exemplar is a measurement that can be looked up as a span.
type Exemplar struct {
	At      time.Time
	Value   float64
	TraceID [16]byte
	SpanID  [8]byte
}

// Metric is an instrument with its series, in the order they were admitted.
type Metric struct {
	Definition
	Points []Point
}

// Lock begins a group of events that collections see together or not at all:
// the events of one record. Unlock ends it. Events outside such a group are for
// when nothing collects.
func (in *Instruments) Lock() {
	in.mu.Lock()
	in.at = in.now()
}

// Unlock ends what Lock began.
func (in *Instruments) Unlock() { in.mu.Unlock() }

// Open tells how many spans that were read wait for the rest of their trace.
func (in *Instruments) Open(n int) { in.open, in.opened = int64(n), true }

// Collect gives the instruments that anything was measured on, in the order of
// the table, cumulative from started to now, and treq.pipeline.open of the same
// moment once somebody told it. It waits for a group of events to end; what it
// gives belongs to the caller. Safe for concurrent use.
func (in *Instruments) Collect() (metrics []Metric, started, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	metrics = make([]Metric, 0, len(in.table)+1)
	for _, set := range in.table {
		if points := set.collect(); len(points) > 0 {
			metrics = append(metrics, Metric{set.def, points})
		}
	}
	if in.opened {
		metrics = append(metrics, Metric{openSpans(), []Point{{Total: in.open}}})
	}
	return metrics, in.started, in.now()
}

// collect copies the series that were measured.
func (s *seriesSet) collect() []Point {
	n := 0
	for _, one := range s.all {
		if one.measured {
			n++
		}
	}
	points := make([]Point, 0, n)
	// One allocation for the buckets of all points.
	width := 0
	if s.def.Bounds != nil {
		width = len(s.def.Bounds) + 1
	}
	buckets := make([]uint64, n*width)
	for _, one := range s.all {
		if !one.measured {
			continue
		}
		p := Point{Attributes: one.attributes, Total: one.total, Sum: one.sum, Count: one.count}
		if width > 0 {
			p.Buckets, buckets = buckets[:width:width], buckets[width:]
			copy(p.Buckets, one.buckets)
		}
		for _, e := range one.examples {
			if !e.At.IsZero() {
				p.Exemplars = append(p.Exemplars, e)
			}
		}
		points = append(points, p)
	}
	return points
}
