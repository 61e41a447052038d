package instrument

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"treq/telemetry"
)

// exemplarSpan stands for the span an event came from, so that the SDK keeps its
// ids as an exemplar. One context is made of it and reused for every event: the
// SDK copies the ids while it measures.
type exemplarSpan struct {
	noop.Span
	spanContext trace.SpanContext
}

// SpanContext implements trace.Span.
func (s *exemplarSpan) SpanContext() trace.SpanContext { return s.spanContext }

func (s *exemplarSpan) context(parent context.Context) context.Context {
	return trace.ContextWithSpan(parent, s)
}

// context gives the context to measure an event of that origin with; it is good until the next call.
func (in *Instruments) context(o *telemetry.Origin) context.Context {
	if o.TraceID == [16]byte{} {
		return in.background
	}
	in.span.spanContext = trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: o.TraceID, SpanID: o.SpanID, TraceFlags: trace.FlagsSampled,
	})
	return in.traced
}
