package treqconnector

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"treq/otel-collector/treqconnector/internal/metadata"
)

// NewFactory makes the factory that a Collector builds the connector with. Its
// configuration is a *Config.
func NewFactory() connector.Factory {
	return connector.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		connector.WithTracesToMetrics(
			func(_ context.Context, set connector.Settings, c component.Config, next consumer.Metrics) (connector.Traces, error) {
				return newConnector(set, c.(*Config), next)
			},
			metadata.TracesToMetricsStability,
		),
	)
}
