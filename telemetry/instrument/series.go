package instrument

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
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

// series is one attribute set of an instrument, with the options that name it
// made once: a measurement allocates nothing.
type series struct {
	add    []metric.AddOption
	record []metric.RecordOption
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
	known  map[seriesKey]*series
	order  []seriesKey // as admitted, for the checkpoint
	folded func(attr *values, reason string)
}

// at gives the series of a key, or the one it folds into.
func (s *seriesSet) at(key seriesKey) *series {
	if found, ok := s.known[key]; ok {
		return found
	}
	return s.admit(key)
}

func (s *seriesSet) admit(key seriesKey) *series {
	switch {
	case len(s.order) < s.limit/2:
		return s.make(key)
	case len(s.order) < s.limit*3/4:
		return s.fold(key, foldFirst)
	default:
		return s.fold(key, foldLast)
	}
}

// fold replaces the values of all attributes of at least the rank given.
func (s *seriesSet) fold(key seriesKey, from rank) *series {
	target := key
	for i, r := range s.ranks {
		if r >= from && target[i] > otherID {
			target[i] = otherID
			s.folded(s.attrs[i], reasonSeries)
		}
	}
	if found, ok := s.known[target]; ok {
		return found
	}
	return s.make(target)
}

func (s *seriesSet) make(key seriesKey) *series {
	pairs := make([]attribute.KeyValue, 0, len(s.attrs))
	for i, attr := range s.attrs {
		if key[i] != absent {
			pairs = append(pairs, attribute.String(attr.attr, attr.names[key[i]]))
		}
	}
	option := metric.WithAttributeSet(attribute.NewSet(pairs...))
	made := &series{add: []metric.AddOption{option}, record: []metric.RecordOption{option}}
	s.known[key] = made
	s.order = append(s.order, key)
	return made
}
