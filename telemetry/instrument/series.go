package instrument

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"treq/telemetry"
)

// maxAttributes is the most attributes an instrument has.
const maxAttributes = 8

// seriesKey names a series by the ids of its values, in the order of the
// instrument's definition.
type seriesKey [maxAttributes]uint16

// rank says when an attribute folds as the limit on series nears.
type rank uint8

const (
	keep      rank = iota // never: what the documents tell apart
	foldLast              // provider, data source, …
	foldFirst             // model and error type
)

func rankOf(attr string) rank {
	switch attr {
	case AttrRequestModel, AttrResponseModel, AttrErrorType:
		return foldFirst
	case AttrProvider, AttrDataSource, AttrTool, AttrFeedbackKey, AttrFeedbackFrom, AttrReason:
		return foldLast
	default:
		return keep
	}
}

// series is one attribute set of an instrument with all that was measured on it
// since the process started.
type series struct {
	attributes attribute.Set
	// measured tells a series that was measured, be it with 0, from one that a
	// checkpoint only admitted.
	measured bool
	total    int64   // a counter's value, the sum of a histogram of integers
	sum      float64 // of a histogram of floats; goes on from resumed
	resumed  float64 // the sum of an earlier process, see Instruments.Resume
	count    uint64
	buckets  []uint64   // nil for counters
	examples []Exemplar // by bucket, the latest; nil until there is one
}

// seriesSet are the series of one instrument. Full detail is admitted up to
// half the limit, series without model and error type up to three quarters, and
// series of nothing but what is never folded always: their number is bounded by
// the number of services, families and the enumerations, and while that product
// is below a quarter of the limit the limit holds.
type seriesSet struct {
	def    Definition
	attrs  []*values
	ranks  []rank
	limit  int
	known  seriesTable
	order  []seriesKey // as admitted, for the checkpoint
	all    []*series   // as made
	folded func(attr *values, reason string)
	// earlier are the sums that series go on from, by their attributes.
	earlier map[attribute.Distinct]float64

	// Measurements come in runs of one key.
	lastKey seriesKey
	last    *series
}

// at gives the series of a key, or the one it folds into.
func (s *seriesSet) at(key seriesKey) *series {
	if s.last != nil && s.lastKey == key {
		return s.last
	}
	found := s.known.get(key)
	if found == nil {
		var ok bool
		// A key that folds is folded, and counted, at each measurement.
		if found, ok = s.admit(key); !ok {
			return found
		}
	}
	s.lastKey, s.last = key, found
	return found
}

// admit makes the series of a key; false means that the key was folded.
func (s *seriesSet) admit(key seriesKey) (*series, bool) {
	switch {
	case len(s.order) < s.limit/2:
		return s.make(key), true
	case len(s.order) < s.limit*3/4:
		return s.fold(key, foldFirst)
	default:
		return s.fold(key, foldLast)
	}
}

// fold replaces the values of all attributes of at least the rank given.
func (s *seriesSet) fold(key seriesKey, from rank) (*series, bool) {
	target := key
	for i, r := range s.ranks {
		if r >= from && target[i] > otherID {
			target[i] = otherID
			s.folded(s.attrs[i], reasonSeries)
		}
	}
	if found := s.known.get(target); found != nil {
		return found, target == key
	}
	return s.make(target), target == key
}

func (s *seriesSet) make(key seriesKey) *series {
	pairs := make([]attribute.KeyValue, 0, len(s.attrs))
	for i, attr := range s.attrs {
		if key[i] != absent {
			pairs = append(pairs, attribute.String(attr.attr, attr.names[key[i]]))
		}
	}
	made := s.of(attribute.NewSet(pairs...))
	s.known.put(key, made)
	s.order = append(s.order, key)
	return made
}

// of makes the series of a set of attributes.
func (s *seriesSet) of(set attribute.Set) *series {
	made := &series{attributes: set}
	made.resumed = s.earlier[set.Equivalent()]
	made.sum = made.resumed
	if s.def.Bounds != nil {
		made.buckets = make([]uint64, len(s.def.Bounds)+1)
	}
	s.all = append(s.all, made)
	return made
}

// counter, histogram and intHistogram measure on a set of series.
type (
	counter      struct{ *seriesSet }
	histogram    struct{ *seriesSet }
	intHistogram struct{ *seriesSet }
)

func (c counter) add(n int64, key seriesKey) { c.at(key).add(n) }

func (s *series) add(n int64) {
	s.measured = true
	s.total = telemetry.Plus(s.total, n)
}

// record measures a value that an event of an origin told, at a time.
func (h histogram) record(value float64, key seriesKey, at time.Time, o *telemetry.Origin) {
	h.measure(h.at(key), value, at, o)
}

// measure is record on a series that was found.
func (h histogram) measure(s *series, value float64, at time.Time, o *telemetry.Origin) {
	s.sum += value
	bucket := s.put(h.def.Bounds, value)
	if o.TraceID == ([16]byte{}) {
		return
	}
	if s.examples == nil {
		s.examples = make([]Exemplar, len(s.buckets))
	}
	s.examples[bucket] = Exemplar{at, value, o.TraceID, o.SpanID}
}

func (h intHistogram) record(value int64, key seriesKey) {
	h.measure(h.at(key), value)
}

func (h intHistogram) measure(s *series, value int64) {
	s.total = telemetry.Plus(s.total, value)
	s.put(h.def.Bounds, float64(value))
}

// put counts a value in its bucket: the first whose upper bound it does not pass.
func (s *series) put(bounds []float64, value float64) (bucket int) {
	for bucket < len(bounds) && value > bounds[bucket] {
		bucket++
	}
	s.measured = true
	s.count++
	s.buckets[bucket]++
	return bucket
}
