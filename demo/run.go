package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"treq/telemetry"
	"treq/telemetry/semconv"
)

// Options say what to send and where. The zero value of a field that has a
// range is not a default: the command line gives every one.
type Options struct {
	// Endpoint is the base URL; the exporters complete it.
	Endpoint string
	Protocol string // HTTP or GRPC
	// Token is shown to the service; zero shows none.
	Token telemetry.Secret
	// Rate is in chats a second, above 0.
	Rate float64
	// Duration ends the traffic; 0 does not.
	Duration time.Duration
	// Chats ends the traffic after as many; 0 does not.
	Chats int
	Seed  uint64
	// Out takes the progress: a line that is rewritten if Live, else a line now and then.
	Out  io.Writer
	Live bool
}

// Validate names the first option that cannot be used.
func (o Options) Validate() error {
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return fmt.Errorf("endpoint %q: want a URL like http://localhost:8002", o.Endpoint)
	case o.Protocol != HTTP && o.Protocol != GRPC:
		return fmt.Errorf("protocol %q: want http or grpc", o.Protocol)
	case math.IsNaN(o.Rate) || o.Rate <= 0 || o.Rate > 1e5:
		return fmt.Errorf("rate %v: want chats a second, above 0 and at most 100000", o.Rate)
	case o.Duration < 0:
		return fmt.Errorf("duration %v: must not be negative", o.Duration)
	case o.Chats < 0:
		return fmt.Errorf("chats %d: must not be negative", o.Chats)
	}
	return nil
}

// Sent counts what was made up, by the rules of docs/semantics.md: a service that
// received all of it and nothing else shows the same numbers.
type Sent struct {
	Chats, Failed      int
	Searches, NoResult int
	CacheHits          int
	Calls              int
	Tokens             int64
	ByModel            map[string]int
}

func (s *Sent) add(c *chat) {
	s.Chats++
	if c.failed() {
		s.Failed++
	}
	if c.search != nil {
		s.Searches++
		if len(c.search.scores) == 0 {
			s.NoResult++
		}
		if c.search.cacheHit {
			s.CacheHits++
		}
	}
	for _, l := range c.calls {
		s.Calls++
		s.ByModel[l.model]++
	}
	s.Tokens += c.tokens()
}

// flushWithin bounds the wait for the last batches.
const flushWithin = 10 * time.Second

// ErrNothingDelivered tells that not one span arrived.
var ErrNothingDelivered = errors.New("nothing was delivered")

// Run sends until ctx ends or the options say so; then it flushes and returns
// what it sent. An end by ctx is no error. Errors of single deliveries show in
// the progress; if nothing arrived at all, the error is ErrNothingDelivered with
// the last of them.
func Run(ctx context.Context, o Options) (Sent, error) {
	sent := Sent{ByModel: map[string]int{}}
	if err := o.Validate(); err != nil {
		return sent, err
	}
	var d delivery
	// An early end of ctx is a clean one: making the exporters asks nothing of the network.
	spans, metrics, err := newExporters(context.WithoutCancel(ctx), o)
	if err != nil {
		return sent, err
	}
	res := resource.NewSchemaless(attribute.String(semconv.ServiceName, "treq-backend"),
		attribute.String("service.version", "demo"))
	traces := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithBatcher(countingSpans{spans, &d}, sdktrace.WithBatchTimeout(time.Second),
			sdktrace.WithMaxQueueSize(1<<14), sdktrace.WithBlocking()))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(countingMetrics{metrics, &d}, sdkmetric.WithInterval(5*time.Second))))
	// The flush has its own time: ctx has ended when it is most wanted.
	shutdown := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
		defer cancel()
		return errors.Join(traces.Shutdown(ctx), meters.Shutdown(ctx))
	}
	if err := observeProcess(meters.Meter("treq/demo")); err != nil {
		return sent, errors.Join(err, shutdown())
	}
	traffic(ctx, o, emitter{traces.Tracer("treq/demo")}, &sent, &d)
	err = shutdown()
	newProgress(o, &d).finish(&sent)
	if delivered, _, lastErr := d.state(); delivered == 0 && sent.Chats > 0 {
		return sent, fmt.Errorf("%w: %w", ErrNothingDelivered, errors.Join(lastErr, err))
	}
	return sent, err
}

// traffic emits chats at the rate until it is time to end. Chats that are due
// together, because the rate is above the clock's, go together.
func traffic(ctx context.Context, o Options, e emitter, sent *Sent, d *delivery) {
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	p, show := newPlanner(o.Seed), newProgress(o, d)
	step := max(time.Duration(float64(time.Second)/o.Rate), 10*time.Millisecond)
	tick := time.NewTicker(step)
	defer tick.Stop()
	begin := time.Now()
	for {
		due := 1 + int(time.Since(begin).Seconds()*o.Rate)
		for ; sent.Chats < due; show.update(sent) {
			if o.Chats > 0 && sent.Chats == o.Chats || ctx.Err() != nil {
				return
			}
			c := p.chat()
			e.emit(&c, time.Now())
			sent.add(&c)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
