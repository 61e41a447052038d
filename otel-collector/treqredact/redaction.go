package treqredact

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"treq/otel-collector/internal/request"
	"treq/otel-collector/treqredact/internal/metadata"
	"treq/telemetry/redact"
)

// redaction applies rules to one signal. Data in which nothing is found goes on as
// it came; data that cannot be read goes nowhere.
type redaction struct {
	redactor *redact.Redactor
	meter    metric.Meter
	replaced metric.Int64ObservableCounter
	observed metric.Registration // nil before the start
}

func newRedaction(set processor.Settings, c *Config) (*redaction, error) {
	redactor, err := c.redactor()
	if err != nil {
		return nil, err
	}
	meter := set.MeterProvider.Meter(metadata.ScopeName)
	replaced, err := meter.Int64ObservableCounter(
		"otelcol_processor_treq_redact_replaced",
		metric.WithUnit("{text}"),
		metric.WithDescription("Pieces of text that were replaced."),
	)
	if err != nil {
		return nil, fmt.Errorf("measure what is replaced: %w", err)
	}
	return &redaction{redactor: redactor, meter: meter, replaced: replaced}, nil
}

func (r *redaction) options() []processorhelper.Option {
	return []processorhelper.Option{
		// What is replaced is replaced in a copy.
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		processorhelper.WithStart(r.start),
		processorhelper.WithShutdown(r.shutdown),
	}
}

func (r *redaction) start(context.Context, component.Host) (err error) {
	r.observed, err = r.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for kind, n := range r.redactor.Counts() {
			o.ObserveInt64(r.replaced, int64(n), metric.WithAttributes(attribute.String("treq.redact.kind", kind)))
		}
		return nil
	}, r.replaced)
	return err
}

func (r *redaction) shutdown(context.Context) error {
	if r.observed == nil {
		return nil
	}
	return r.observed.Unregister()
}

func (r *redaction) traces(_ context.Context, in ptrace.Traces) (ptrace.Traces, error) {
	return request.Rewrite(in, (&ptrace.ProtoMarshaler{}).MarshalTraces, r.redactor.Traces, (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces)
}

func (r *redaction) metrics(_ context.Context, in pmetric.Metrics) (pmetric.Metrics, error) {
	return request.Rewrite(in, (&pmetric.ProtoMarshaler{}).MarshalMetrics, r.redactor.Metrics, (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics)
}

func (r *redaction) logs(_ context.Context, in plog.Logs) (plog.Logs, error) {
	return request.Rewrite(in, (&plog.ProtoMarshaler{}).MarshalLogs, r.redactor.Logs, (&plog.ProtoUnmarshaler{}).UnmarshalLogs)
}
