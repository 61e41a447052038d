package demo

import (
	"context"
	"errors"
	"net/url"
	"sync"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The protocols.
const (
	HTTP = "http"
	GRPC = "grpc"
)

// newExporters makes the SDK's own exporters for valid options.
func newExporters(ctx context.Context, o Options) (sdktrace.SpanExporter, sdkmetric.Exporter, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, nil, err
	}
	headers := map[string]string{}
	if !o.Token.IsZero() {
		headers["Authorization"] = "Bearer " + o.Token.Reveal()
	}
	if o.Protocol == GRPC {
		spans, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(u.String()),
			otlptracegrpc.WithHeaders(headers), otlptracegrpc.WithCompressor("gzip"))
		if err != nil {
			return nil, nil, err
		}
		metrics, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL(u.String()), otlpmetricgrpc.WithHeaders(headers))
		return spans, metrics, err
	}
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.JoinPath("v1/traces").String()),
		otlptracehttp.WithHeaders(headers), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, nil, err
	}
	metrics, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(u.JoinPath("v1/metrics").String()),
		otlpmetrichttp.WithHeaders(headers))
	return spans, metrics, err
}

// delivery counts what the exporters delivered, because the SDK reports their
// errors to a global handler only. Safe for concurrent use.
type delivery struct {
	mu              sync.Mutex
	delivered, lost int // spans
	lastErr         error
}

func (d *delivery) spans(n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.lost += n
		d.lastErr = err
		return
	}
	d.delivered += n
}

func (d *delivery) metrics(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.lastErr = err
	}
}

func (d *delivery) state() (delivered, lost int, lastErr error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.delivered, d.lost, d.lastErr
}

// countingSpans and countingMetrics note the outcome of an exporter and keep it
// from the global handler.
type countingSpans struct {
	sdktrace.SpanExporter
	delivery *delivery
}

func (c countingSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.delivery.spans(len(spans), c.SpanExporter.ExportSpans(ctx, spans))
	return nil
}

type countingMetrics struct {
	sdkmetric.Exporter
	delivery *delivery
}

func (c countingMetrics) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	err := c.Exporter.Export(ctx, m)
	if errors.Is(ctx.Err(), context.Canceled) {
		err = nil // the end cut it off, and exports once more: that has all of it
	}
	c.delivery.metrics(err)
	return nil
}
