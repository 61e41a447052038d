package export

import (
	"math"
	"slices"
	"strconv"

	"github.com/zeebo/xxh3"
	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// Field numbers that only the choice of traces needs.
const (
	resourceResource   = 1
	resourceAttributes = 1
	anyValueBool       = 2
	anyValueInt        = 3
)

// choice decides which traces go to a sink: always all of a trace. The share goes by
// the trace's id, the same in every process. Services and attributes are looked for
// in what comes of a trace first, and the rest of it goes the same way; that much is
// remembered for some hundred thousand traces. It belongs to the pump.
type choice struct {
	share          uint64 // of 2^64, by the hash of the trace's id
	only, except   filter
	younger, older map[uint64]bool // by the hash: whether it goes
}

// filter is what a span may have; the empty one has no span.
type filter struct {
	services   []string
	attributes map[string][]string
}

func (f *filter) empty() bool { return len(f.services) == 0 && len(f.attributes) == 0 }

// remembered is how many decisions a generation holds.
const remembered = 1 << 16

// newChoice gives nil for a configuration that sends everything.
func newChoice(c Config) *choice {
	h := &choice{
		share: math.MaxUint64,
		only:  filter{c.OnlyServices, c.OnlyAttributes}, except: filter{c.ExceptServices, c.ExceptAttributes},
	}
	if c.Sample > 0 && c.Sample < 1 {
		h.share = uint64(c.Sample * (1 << 63) * 2)
	} else if h.only.empty() && h.except.empty() {
		return nil
	}
	return h
}

// of gives what of a request goes to the sink, and how many spans that is: the
// request itself where that is all of it.
func (h *choice) of(request []byte) ([]byte, int64, error) {
	verdicts, spans, err := h.decide(request)
	if err != nil {
		return nil, 0, err
	}
	if !slices.Contains(verdicts, false) {
		return request, spans, nil
	}
	if !slices.Contains(verdicts, true) {
		return nil, 0, nil
	}
	i := 0
	return selectSpans(request, func([]byte) bool {
		i++
		return verdicts[i-1]
	})
}

// decide gives the verdict on every span of a request.
func (h *choice) decide(request []byte) (verdicts []bool, spans int64, err error) {
	type sighting struct{ wanted, unwanted bool }
	seen := map[uint64]*sighting{}
	var traces []uint64
	err = eachField(request, requestResourceSpans, func(resource []byte) error {
		attributes := lastField(resource, resourceResource)
		service := attributeText(attributes, resourceAttributes, semconv.ServiceName)
		return eachField(resource, resourceScopeSpans, func(scope []byte) error {
			return eachField(scope, scopeSpans, func(span []byte) error {
				trace := xxh3.Hash(lastField(span, spanTraceID))
				traces = append(traces, trace)
				s := seen[trace]
				if s == nil {
					s = &sighting{}
					seen[trace] = s
				}
				s.wanted = s.wanted || h.only.has(service, attributes, span)
				s.unwanted = s.unwanted || h.except.has(service, attributes, span)
				return nil
			})
		})
	})
	if err != nil {
		return nil, 0, err
	}
	verdicts = make([]bool, len(traces))
	for i, trace := range traces {
		s := seen[trace]
		verdicts[i] = trace <= h.share && h.verdict(trace, (h.only.empty() || s.wanted) && !s.unwanted)
	}
	return verdicts, int64(len(traces)), nil
}

// verdict gives what was decided on a trace before, else takes down what is decided now.
func (h *choice) verdict(trace uint64, now bool) bool {
	if h.only.empty() && h.except.empty() {
		return now
	}
	was, known := h.younger[trace]
	if known {
		return was
	}
	if was, known = h.older[trace]; !known {
		was = now
	}
	if h.younger == nil || len(h.younger) >= remembered {
		h.older, h.younger = h.younger, make(map[uint64]bool)
	}
	h.younger[trace] = was
	return was
}

// has tells whether a span, or the resource it is of, has what the filter names: one
// of the services, if any are named, and of each attribute one of the values.
func (f *filter) has(service string, resource, span []byte) bool {
	if f.empty() || len(f.services) > 0 && !slices.Contains(f.services, service) {
		return false
	}
	for key, values := range f.attributes {
		text := attributeText(span, spanAttributes, key)
		if text == "" {
			text = attributeText(resource, resourceAttributes, key)
		}
		if !slices.Contains(values, text) {
			return false
		}
	}
	return true
}

// attributeText gives an attribute as text, also one that is a whole number or a
// truth; "" if there is none.
func attributeText(message []byte, field protowire.Number, key string) (text string) {
	_ = eachField(message, field, func(attribute []byte) error {
		if string(lastField(attribute, keyValueKey)) == key {
			text = valueText(lastField(attribute, keyValueValue))
		}
		return nil
	})
	return text
}

func valueText(value []byte) string {
	for len(value) > 0 {
		number, kind, n := protowire.ConsumeTag(value)
		if n < 0 {
			return ""
		}
		switch {
		case number == anyValueString && kind == protowire.BytesType:
			b, _ := protowire.ConsumeBytes(value[n:])
			return string(b)
		case number == anyValueBool && kind == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(value[n:])
			return strconv.FormatBool(v != 0)
		case number == anyValueInt && kind == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(value[n:])
			return strconv.FormatInt(int64(v), 10)
		}
		m := protowire.ConsumeFieldValue(number, kind, value[n:])
		if m < 0 {
			return ""
		}
		value = value[n+m:]
	}
	return ""
}
