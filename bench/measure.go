package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// variant is the load of one measurement.
type variant struct {
	transport string // "http" (protobuf), "json" or "grpc"
	content   int    // bytes of prompt and of completion
	batch     int    // spans a request
	zip       bool   // the clients compress, and the sink gets gzip
	rate      int    // spans a second; 0: as fast as answers come
}

func (v variant) String() string {
	name := map[string]string{"http": "HTTP protobuf", "json": "HTTP JSON", "grpc": "gRPC"}[v.transport]
	if v.zip {
		name += ", gzip"
	}
	name += fmt.Sprintf(", content %d, batch %d", v.content, v.batch)
	if v.rate > 0 {
		name += fmt.Sprintf(", %d spans/s", v.rate)
	}
	return name
}

// options hold for all measurements of a run.
type options struct {
	connections int
	warmUp      time.Duration
	duration    time.Duration
	rounds      int
	dir         string // holds data directories and builds
	profiles    string // holds profiles; "": none are taken
	binaries
}

// sample is what one measurement found. Everything counts from after the warm-up
// to the end of the drain.
type sample struct {
	perCPU       float64 // spans a CPU second of the server
	perSecond    float64 // spans a second, as the clients saw it
	p50, p99     float64 // ms
	rss          float64 // peak, bytes
	bytesPerSpan float64 // of bodies before compression
	written      float64 // bytes written to storage a byte received
	cores        float64 // CPU seconds a second of load
	allocBytes   float64 // a span; 0 where it was not asked for
	allocObjects float64
	drain        float64 // s
	drainCPU     float64 // s of it, in which chats close and what waits is forwarded
	get99        float64 // ms, p99 of GET /monitoring/metrics; 0 where it was not asked for
}

// bench is one server with everything that loads it.
type bench struct {
	server
	options options
	sink    *sink
	dir     string
	senders []sender
	run     uint64
	next    atomic.Uint64
	sent    sent
	// loaded is called at the end of a window's load, before the drain; may be nil.
	loaded func() error
}

// open starts a server on a fresh directory and connects to it. What fails later
// is told with the server's log by close.
func open(ctx context.Context, k kind, v variant, s setup, o options) (b *bench, err error) {
	b = &bench{options: o, run: uint64(time.Now().UnixNano())}
	defer func() { err = b.failed(err) }()
	if b.dir, err = os.MkdirTemp(o.dir, "bench-"); err != nil {
		return b, err
	}
	if b.sink, err = newSink(); err != nil {
		return b, err
	}
	s.dir, s.sink, s.zip, s.binaries = b.dir, b.sink.url, v.zip, o.binaries
	s.debug = o.profiles != ""
	started, err := start(k, s)
	if err != nil {
		return b, err // what did not start has no log
	}
	b.server = started
	if err := b.ready(ctx); err != nil {
		return b, err
	}
	return b, b.connect(v)
}

// connect opens one sender a connection.
func (b *bench) connect(v variant) error {
	connections := b.options.connections
	if v.rate > 0 {
		connections *= 2
	}
	for range connections {
		if v.transport != "grpc" {
			b.senders = append(b.senders, newHTTPSender(b.httpAddr(), v.transport == "json", v.zip))
			continue
		}
		s, err := newGRPCSender(b.grpcAddr(), v.zip)
		if err != nil {
			return err
		}
		b.senders = append(b.senders, s)
	}
	return nil
}

// failed adds the server's log to an error.
func (b *bench) failed(err error) error {
	if err != nil && b.server != nil {
		return fmt.Errorf("%w\nthe server logged:\n%s", err, b.log())
	}
	return err
}

// close ends the server and removes what it wrote.
func (b *bench) close() error {
	var err error
	for _, s := range b.senders {
		err = errors.Join(err, s.close())
	}
	if b.server != nil {
		err = errors.Join(err, b.kill())
	}
	if b.sink != nil {
		err = errors.Join(err, b.sink.server.Close())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// drive sends load and keeps the books of what was acknowledged.
func (b *bench) drive(ctx context.Context, load *payload, d time.Duration, rate int) (result, error) {
	seen, err := drive(ctx, b.senders, load, b.run, &b.next, d, rate)
	spans := int64(seen.requests) * int64(load.spans)
	b.sent.spans += spans
	b.sent.traces += int64(seen.requests) * int64(load.traces)
	return seen, err
}

// window loads the server for a while and waits until it has done all of it.
func (b *bench) window(ctx context.Context, load *payload, d time.Duration, rate int) (sample, error) {
	before, err := usageOf(b.pid())
	if err != nil {
		return sample{}, err
	}
	seen, err := b.drive(ctx, load, d, rate)
	if err != nil {
		return sample{}, err
	}
	if b.loaded != nil {
		if err := b.loaded(); err != nil {
			return sample{}, err
		}
	}
	loaded, err := usageOf(b.pid())
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	if err := b.settled(ctx, b.sent, b.sink); err != nil {
		return sample{}, err
	}
	drain := time.Since(began)
	after, err := usageOf(b.pid())
	if err != nil {
		return sample{}, err
	}
	spans := float64(seen.requests) * float64(load.spans)
	cpu := (after.cpu - before.cpu).Seconds()
	return sample{
		perCPU: spans / cpu, perSecond: spans / seen.took.Seconds(), cores: cpu / seen.took.Seconds(),
		p50: ms(seen.quantile(0.5)), p99: ms(seen.quantile(0.99)), rss: float64(after.peakRSS),
		bytesPerSpan: float64(seen.bytes) / spans, written: float64(after.written-before.written) / float64(seen.wire),
		drain: drain.Seconds(), drainCPU: (after.cpu - loaded.cpu).Seconds(),
	}, nil
}

// asks are what a measurement does besides.
type asks struct {
	allocs bool // tell allocations; such a sample says nothing about speed
	gets   bool // time GET /monitoring/metrics meanwhile
}

// measure takes one sample of a fresh server.
func measure(ctx context.Context, k kind, v variant, o options, also asks) (s sample, err error) {
	b, err := open(ctx, k, v, setup{allocs: also.allocs}, o)
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil {
		return s, fmt.Errorf("%s, %s: %w", k, v, err)
	}
	defer func() {
		if err = b.failed(err); err != nil {
			err = fmt.Errorf("%s, %s: %w", k, v, err)
		}
	}()
	load, err := newPayload(v.batch, v.content, v.transport == "json")
	if err != nil {
		return s, err
	}
	// The warm-up's chats are not waited for: that they close within the measured
	// time counts against the service.
	if _, err := b.drive(ctx, load, o.warmUp, v.rate); err != nil {
		return s, err
	}
	var before allocated
	if also.allocs {
		if before, err = allocationsOf(ctx, b); err != nil {
			return s, err
		}
	}
	first := b.sent
	var get99 float64
	if also.gets {
		asked, err := askMeanwhile("http://" + b.metricsAddr() + "/monitoring/metrics")
		if err != nil {
			return s, err
		}
		b.loaded = func() (err error) {
			get99, err = asked()
			return err
		}
	}
	profiled := profile(ctx, b.server, o, fmt.Sprintf("%s, %s", v, k))
	s, err = b.window(ctx, load, o.duration, v.rate)
	if err = errors.Join(err, profiled()); err != nil {
		return s, err
	}
	s.get99 = get99
	if also.allocs {
		after, err := allocationsOf(ctx, b)
		if err != nil {
			return s, err
		}
		spans := float64(b.sent.spans - first.spans)
		s.allocBytes, s.allocObjects = (after.bytes-before.bytes)/spans, (after.objects-before.objects)/spans
	}
	return s, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
