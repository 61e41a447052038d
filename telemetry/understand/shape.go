package understand

import (
	"math/bits"

	"github.com/zeebo/xxh3"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// source is a service and an instrumentation scope of it.
type source struct{ Service, Scope string }

// shape is all that a span says in words. Services say the same few things again
// and again, so the spans that wait share their shapes. A shape never changes.
type shape struct {
	*source
	Name      string
	ErrorType string
	Tool      string
	DataSource,
	Operation, Provider, RequestModel, ResponseModel, ServiceTier string
	Kind     semconv.Kind
	SpanKind otlp.SpanKind
}

// says tells whether the shape is a span's.
func (h *shape) says(s *Span) bool {
	return h.Name == s.Name && h.Kind == s.Kind && h.SpanKind == s.SpanKind &&
		h.Service == s.Service && h.Scope == s.Scope &&
		h.RequestModel == s.Call.RequestModel && h.ResponseModel == s.Call.ResponseModel &&
		h.Provider == s.Call.Provider && h.Operation == s.Call.Operation && h.ServiceTier == s.Call.ServiceTier &&
		h.DataSource == s.Search.DataSource && h.Tool == s.Tool && h.ErrorType == s.ErrorType
}

// model is the model that answered, else the one that was asked.
func (h *shape) model() string {
	if h.ResponseModel != "" {
		return h.ResponseModel
	}
	return h.RequestModel
}

// shapes gives one shape for spans that say the same. It is bounded as interner is.
type shapes struct {
	sets    []shapeSet // made at the first shape
	sources map[source]*source
	latest  *source
}

// shapeSet holds shapes of one hash, the one asked for last in front.
type shapeSet [4]*shape

const (
	shapeSets   = 1 << 10
	mostSources = 1 << 10
)

// of gives the shape of a span.
func (t *shapes) of(s *Span) *shape {
	if t.sets == nil {
		t.sets = make([]shapeSet, shapeSets)
	}
	at := xxh3.HashString(s.Name) + uint64(len(s.ErrorType))<<8 + uint64(s.Kind)
	if s.Call.RequestModel != "" {
		at += bits.RotateLeft64(xxh3.HashString(s.Call.RequestModel), 7)
	}
	set := &t.sets[at%shapeSets]
	if h := set[0]; h != nil && h.says(s) {
		return h
	}
	last := len(set) - 1
	for i := 1; i <= last; i++ {
		if h := set[i]; h != nil && h.says(s) {
			copy(set[1:i+1], set[:i])
			set[0] = h
			return h
		}
	}
	copy(set[1:], set[:last])
	set[0] = &shape{
		source: t.source(s.Service, s.Scope), Name: s.Name, ErrorType: s.ErrorType, Tool: s.Tool,
		DataSource: s.Search.DataSource, Operation: s.Call.Operation, Provider: s.Call.Provider,
		RequestModel: s.Call.RequestModel, ResponseModel: s.Call.ResponseModel,
		ServiceTier: s.Call.ServiceTier, Kind: s.Kind, SpanKind: s.SpanKind,
	}
	return set[0]
}

// source gives one source for equal ones, as long as there are not too many.
func (t *shapes) source(service, scope string) *source {
	key := source{service, scope}
	if t.latest != nil && *t.latest == key {
		return t.latest
	}
	found, ok := t.sources[key]
	if !ok {
		if len(t.sources) >= mostSources || t.sources == nil {
			t.sources = make(map[source]*source)
		}
		found = &key
		t.sources[key] = found
	}
	t.latest = found
	return found
}
