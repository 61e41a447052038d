package telemetry_test

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// A Go service needs nothing of this module: it records its chats with
// OpenTelemetry's API, and the SDK's own exporter brings them to the service, which
// is at http://localhost:4318 where nothing else is said.
//
// A chat is a span whose operation is invoke_agent (or the server's span of the
// request, where it has one), a search one of operation retrieval, a model's call
// one of operation chat. What else they carry counts where it is there.
func Example() {
	endpoint, counted := countedBy() // a service that prints what it counts
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		panic(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	tracer := provider.Tracer("chat")

	answer := func(ctx context.Context, question string) (err error) {
		ctx, chat := tracer.Start(ctx, "answer", trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "invoke_agent")))
		defer func() {
			if err != nil {
				chat.SetStatus(codes.Error, err.Error())
			}
			chat.End()
		}()

		_, search := tracer.Start(ctx, "search", trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "retrieval"),
			attribute.String("gen_ai.data_source.id", "manuals")))
		search.SetAttributes(attribute.String("gen_ai.retrieval.documents", `[{"id":"a","score":0.82},{"id":"b","score":0.61}]`))
		search.End()

		_, call := tracer.Start(ctx, "chat llama-3.1-8b-instant", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "chat"),
			attribute.String("gen_ai.provider.name", "groq"),
			attribute.String("gen_ai.request.model", "llama-3.1-8b-instant")))
		defer call.End()
		if question == "" {
			call.SetAttributes(attribute.String("error.type", "400"))
			call.SetStatus(codes.Error, "the question is empty")
			return errors.New("the provider refuses the question")
		}
		call.SetAttributes(
			attribute.Int("gen_ai.usage.input_tokens", 120),
			attribute.Int("gen_ai.usage.output_tokens", 30))
		return nil
	}
	_ = answer(context.Background(), "Como funciona o inventário rotativo?")
	_ = answer(context.Background(), "")

	_ = provider.Shutdown(context.Background()) // sends what still waits
	counted()
	// Unordered output:
	// a search of manuals: 2 documents, the best 0.82
	// a call of llama-3.1-8b-instant: 150 tokens, succeeded
	// a chat: 1 call, 150 tokens, succeeded
	// a search of manuals: 2 documents, the best 0.82
	// a call of llama-3.1-8b-instant: 0 tokens, failed with 400
	// a chat: 1 call, 0 tokens, failed with _OTHER
}
