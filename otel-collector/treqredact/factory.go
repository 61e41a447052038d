package treqredact

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"treq/otel-collector/treqredact/internal/metadata"
)

// NewFactory makes the factory that a Collector builds the processor with. Its
// configuration is a *Config.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{} },
		processor.WithTraces(createTraces, metadata.TracesStability),
		processor.WithMetrics(createMetrics, metadata.MetricsStability),
		processor.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createTraces(ctx context.Context, set processor.Settings, c component.Config, next consumer.Traces) (processor.Traces, error) {
	r, err := newRedaction(set, c.(*Config))
	if err != nil {
		return nil, err
	}
	return processorhelper.NewTraces(ctx, set, c, next, r.traces, r.options()...)
}

func createMetrics(ctx context.Context, set processor.Settings, c component.Config, next consumer.Metrics) (processor.Metrics, error) {
	r, err := newRedaction(set, c.(*Config))
	if err != nil {
		return nil, err
	}
	return processorhelper.NewMetrics(ctx, set, c, next, r.metrics, r.options()...)
}

func createLogs(ctx context.Context, set processor.Settings, c component.Config, next consumer.Logs) (processor.Logs, error) {
	r, err := newRedaction(set, c.(*Config))
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, c, next, r.logs, r.options()...)
}
