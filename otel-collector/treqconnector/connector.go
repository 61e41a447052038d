package treqconnector

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"treq/otel-collector/treqconnector/internal/metadata"
	"treq/telemetry/instrument"
	"treq/telemetry/otlp"
	"treq/telemetry/pricing"
	"treq/telemetry/understand"
)

// door is the one class of doors that a Collector has.
const door = 1

// counting is a connector: it counts what it is told and emits what it counted,
// all series each time, so that an emission that fails loses nothing.
type counting struct {
	set         connector.Settings
	interval    time.Duration
	next        consumer.Metrics
	instruments *instrument.Instruments
	cut         metric.Int64Counter

	// mu serialises the engine, which collections do not wait for.
	mu     sync.Mutex
	engine *understand.Engine

	stop    context.CancelFunc // nil before Start
	stopped chan struct{}
}

var _ connector.Traces = (*counting)(nil)

func newConnector(set connector.Settings, c *Config, next consumer.Metrics) (*counting, error) {
	book, err := c.book()
	if err != nil {
		return nil, err
	}
	instruments, err := instrument.New(c.options())
	if err != nil {
		return nil, err
	}
	rules := c.rules()
	rules.Pricer = pricing.NewFinder(book)
	engine, err := understand.New(rules, instruments)
	if err != nil {
		return nil, err
	}
	cut, err := set.MeterProvider.Meter(metadata.ScopeName).Int64Counter(
		"otelcol_connector_treq_cut_spans",
		metric.WithUnit("{span}"),
		metric.WithDescription("Spans that were left out because their ids are empty."),
	)
	if err != nil {
		return nil, fmt.Errorf("measure what is cut: %w", err)
	}
	return &counting{
		set: set, interval: c.FlushInterval, next: next,
		instruments: instruments, engine: engine, cut: cut,
	}, nil
}

// Capabilities says that what it is given is only read.
func (*counting) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start begins to emit.
func (c *counting) Start(context.Context, component.Host) error {
	// What Start is given ends when the Collector has started.
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.stopped = stop, make(chan struct{})
	go c.run(ctx)
	return nil
}

func (c *counting) run(ctx context.Context) {
	defer close(c.stopped)
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.group(func() { c.engine.Advance(time.Now()) })
			c.emit(ctx)
		}
	}
}

// Shutdown counts what still waits for the rest of its trace, since nobody will
// remember it, and emits everything a last time. It may be called without Start.
func (c *counting) Shutdown(ctx context.Context) error {
	if c.stop == nil {
		return nil
	}
	c.stop()
	<-c.stopped
	c.stop = nil
	c.group(func() {
		c.engine.Advance(time.Now())
		c.engine.Flush()
	})
	c.emit(ctx)
	return nil
}

// ConsumeTraces counts spans. Those without ids are left out, as the product's
// doors leave them out; the error is permanent and means that a request nests too
// deep to be read.
func (c *counting) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	if traces.SpanCount() == 0 {
		return nil
	}
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	found, err := otlp.CheckTraces(body)
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	if found.BadIDs > 0 {
		body = otlp.CutTraces(nil, body)
		c.cut.Add(ctx, int64(found.BadIDs))
	}
	c.group(func() {
		now := time.Now()
		c.engine.Advance(now)
		c.instruments.Admitted(int64(found.Spans - found.BadIDs))
		err = c.engine.Traces(now, door, body)
	})
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	return nil
}

// group runs f as one group of events: an emission sees all of them or none.
func (c *counting) group(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instruments.Lock()
	defer c.instruments.Unlock()
	f()
	c.instruments.Open(c.engine.Open())
}

// emit hands everything on. What is refused is told again with the next emission.
func (c *counting) emit(ctx context.Context) {
	metrics, started, now := c.instruments.Collect()
	if len(metrics) == 0 {
		return
	}
	emitted := encode(metrics, started, now, c.set.BuildInfo.Version)
	c.set.Resource.CopyTo(emitted.ResourceMetrics().At(0).Resource())
	if err := c.next.ConsumeMetrics(ctx, emitted); err != nil && ctx.Err() == nil {
		c.set.Logger.Warn("metrics were refused and are told again", zap.Error(err))
	}
}
