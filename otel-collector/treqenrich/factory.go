package treqenrich

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"treq/otel-collector/internal/request"
	"treq/otel-collector/treqenrich/internal/metadata"
)

// NewFactory makes the factory that a Collector builds the processor with. Its
// configuration is a *Config.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{Backend: "langsmith"} },
		processor.WithTraces(createTraces, metadata.TracesStability),
	)
}

func createTraces(ctx context.Context, set processor.Settings, c component.Config, next consumer.Traces) (processor.Traces, error) {
	enrichment, err := c.(*Config).enrichment()
	if err != nil {
		return nil, err
	}
	complete := func(body []byte) ([]byte, error) { return enrichment(body), nil }
	return processorhelper.NewTraces(
		ctx, set, c, next,
		func(_ context.Context, in ptrace.Traces) (ptrace.Traces, error) {
			return request.Rewrite(in, (&ptrace.ProtoMarshaler{}).MarshalTraces, complete, (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces)
		},
		// What is added is added to a copy.
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	)
}
