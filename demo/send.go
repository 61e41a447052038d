package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"treq/telemetry/semconv"
)

// emitter turns plans into spans. They end now: a plan's times lie in the past,
// so that no goroutine waits for a chat that was made up.
type emitter struct{ tracer trace.Tracer }

// emit records the chat as a trace that ended at end.
func (e emitter) emit(c *chat, end time.Time) {
	at := end.Add(-c.duration())
	ctx, server := e.start(context.Background(), "POST /chat", trace.SpanKindServer, at,
		attribute.String("http.request.method", "POST"),
		attribute.String(semconv.HTTPRoute, "/chat"),
		attribute.String(semconv.URLScheme, "http"),
		attribute.String(semconv.URLPath, "/chat"),
		attribute.Int(semconv.HTTPStatusCode, c.status),
	)
	at = at.Add(c.overhead / 2)
	if c.search != nil {
		at = e.search(ctx, c, at)
	}
	for i := range c.calls {
		at = e.call(ctx, c, &c.calls[i], at)
	}
	if c.failed() {
		server.SetStatus(codes.Error, "")
		server.SetAttributes(attribute.String(semconv.ErrorType, fmt.Sprint(c.status)))
	}
	server.End(trace.WithTimestamp(end))
}

// duration is of the whole chat.
func (c *chat) duration() time.Duration {
	d := c.overhead
	if c.search != nil {
		d += c.search.duration
	}
	for _, l := range c.calls {
		d += l.duration
	}
	return d
}

func (e emitter) search(ctx context.Context, c *chat, at time.Time) time.Time {
	s := c.search
	ctx, span := e.start(ctx, "retrieval treq-docs", trace.SpanKindClient, at,
		attribute.String(semconv.GenAIOperationName, "retrieval"),
		attribute.String(semconv.GenAIDataSourceID, "treq-docs"),
		attribute.String(semconv.GenAIRetrievalQuery, c.question),
		attribute.String(semconv.GenAIRetrievalDocuments, documents(s.scores)),
		attribute.Bool(semconv.TreqCacheHit, s.cacheHit),
	)
	if s.embedding > 0 {
		_, embedding := e.start(ctx, "embeddings text-embedding-004", trace.SpanKindClient, at,
			attribute.String(semconv.GenAIOperationName, "embeddings"),
			attribute.String(semconv.GenAIProviderName, "gcp.gemini"),
			attribute.String(semconv.GenAIRequestModel, "text-embedding-004"),
			attribute.Int(semconv.GenAIInputTokens, len(c.question)/4),
		)
		embedding.End(trace.WithTimestamp(at.Add(s.embedding)))
	}
	at = at.Add(s.duration)
	span.End(trace.WithTimestamp(at))
	return at
}

// documents is the JSON that the convention wants: a list, empty when nothing
// was found.
func documents(scores []float64) string {
	type document struct {
		ID    string  `json:"id"`
		Score float64 `json:"score"`
	}
	list := make([]document, len(scores))
	for i, score := range scores {
		list[i] = document{fmt.Sprintf("doc-%03d", int(score*1000)%200), score}
	}
	text, _ := json.Marshal(list) // cannot fail: strings and finite numbers
	return string(text)
}

func (e emitter) call(ctx context.Context, c *chat, l *call, at time.Time) time.Time {
	_, span := e.start(ctx, "chat "+l.model, trace.SpanKindClient, at,
		attribute.String(semconv.GenAIOperationName, "chat"),
		attribute.String(semconv.GenAIProviderName, l.provider),
		attribute.String(semconv.GenAIRequestModel, l.model),
		attribute.Bool(semconv.GenAIRequestStream, c.stream),
	)
	at = at.Add(l.duration)
	defer span.End(trace.WithTimestamp(at))
	if l.errorType != "" {
		span.SetStatus(codes.Error, "the model did not answer")
		span.SetAttributes(attribute.String(semconv.ErrorType, l.errorType))
		return at
	}
	span.SetAttributes(
		attribute.String(semconv.GenAIResponseModel, l.model),
		attribute.StringSlice(semconv.GenAIFinishReasons, []string{"stop"}),
		attribute.Int64(semconv.GenAIInputTokens, l.input),
		attribute.Int64(semconv.GenAIOutputTokens, l.output),
	)
	if l.cached > 0 {
		span.SetAttributes(attribute.Int64(semconv.GenAICacheRead, l.cached))
	}
	if c.stream {
		span.SetAttributes(attribute.Float64(semconv.GenAITimeToFirstChunk, l.firstToken.Seconds()))
	}
	return at
}

func (e emitter) start(ctx context.Context, name string, kind trace.SpanKind, at time.Time, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return e.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(at), trace.WithAttributes(attrs...))
}
