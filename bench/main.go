package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"treq/test/e2e/e2etest"
)

// variant is one row of the table.
type variant struct {
	transport string // "http" (protobuf), "json" or "grpc"
	content   int    // bytes of prompt and of completion
	batch     int    // spans a request
	zip       bool   // the clients compress
}

// options hold for all rows.
type options struct {
	connections int
	rate        int // spans a second; 0: as fast as answers come
	warmUp      time.Duration
	duration    time.Duration
	sink        string // none, identity or gzip
	ack         string
	dir         string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	transports := flags.String("transport", "http", "transports to measure: http, json, grpc (a list)")
	contents := flags.String("content", "0,1536,16384", "bytes of prompt, and of completion, on each model call (a list)")
	batches := flags.String("batch", "64,512", "spans a request, a multiple of 4 (a list)")
	zip := flags.Bool("gzip", false, "let the clients compress")
	o := options{}
	flags.IntVar(&o.connections, "connections", 4, "clients, each waiting for its answer")
	flags.IntVar(&o.rate, "rate", 0, "spans a second that are asked for; 0 for as many as are answered")
	flags.DurationVar(&o.warmUp, "warm-up", 500*time.Millisecond, "load before the measurement")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "load that is measured")
	flags.StringVar(&o.sink, "sink", "identity", "what is forwarded: identity, gzip, or none")
	flags.StringVar(&o.ack, "ack", "fsync", "when the service answers: fsync or memory")
	flags.StringVar(&o.dir, "dir", "", "where data directories are made (default: the system's temporary directory)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	variants, err := expand(*transports, *contents, *batches, *zip)
	if err != nil {
		return err
	}
	loop := "closed loop"
	if o.rate > 0 {
		loop = fmt.Sprintf("%d spans/s", o.rate)
	}
	fmt.Fprintf(out, "%s, %d connections, %v after %v of warm-up; sink %s; ack %s; drain included\n",
		loop, o.connections, o.duration, o.warmUp, o.sink, o.ack)
	fmt.Fprintln(out, line("transport", "content", "batch", "B/span", "spans/CPU-s", "spans/s", "p50 ms", "p99 ms", "peak RSS MB", "written B/span", "allocs/span", "drain s"))
	for _, v := range variants {
		row, err := measure(ctx, v, o)
		if err != nil {
			return fmt.Errorf("%+v: %w", v, err)
		}
		fmt.Fprintln(out, row)
	}
	return nil
}

// line sets cells in columns as wide as the table's heads.
func line(cells ...string) string {
	var b strings.Builder
	for i, cell := range cells {
		width := [...]int{9, 9, 7, 8, 13, 9, 8, 8, 13, 16, 13, 9}[i]
		fmt.Fprintf(&b, "%*s", width, cell)
	}
	return b.String()
}

// expand gives every combination of the lists.
func expand(transports, contents, batches string, zip bool) ([]variant, error) {
	var all []variant
	for transport := range strings.SplitSeq(transports, ",") {
		if transport != "http" && transport != "json" && transport != "grpc" {
			return nil, fmt.Errorf("no transport %q", transport)
		}
		for content := range strings.SplitSeq(contents, ",") {
			for batch := range strings.SplitSeq(batches, ",") {
				c, err1 := strconv.Atoi(content)
				b, err2 := strconv.Atoi(batch)
				if err := errors.Join(err1, err2); err != nil {
					return nil, err
				}
				if c < 0 || b < spansPerTrace || b%spansPerTrace != 0 {
					return nil, fmt.Errorf("content %d or batch %d is out of range", c, b)
				}
				all = append(all, variant{transport: transport, content: c, batch: b, zip: zip})
			}
		}
	}
	return all, nil
}

// measure runs one row on a fresh process and data directory.
func measure(ctx context.Context, v variant, o options) (row string, err error) {
	dir, err := os.MkdirTemp(o.dir, "treq-bench-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	to, err := newSink()
	if err != nil {
		return "", err
	}
	defer func() { _ = to.server.Close() }()

	config := "log:\n  level: warn\n"
	switch o.sink {
	case "none":
	case "identity", "gzip":
		compression := map[string]string{"identity": "none", "gzip": "gzip"}[o.sink]
		config += fmt.Sprintf("sinks:\n  - name: bench\n    endpoint: %s/v1/traces\n    compression: %s\n", to.url, compression)
	default:
		return "", fmt.Errorf("no sink %q", o.sink)
	}
	p, err := e2etest.Launch(e2etest.Spec{DataDir: filepath.Join(dir, "data"), Config: config, Args: []string{"--ack", o.ack}})
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, p.Kill())
		if err != nil {
			err = fmt.Errorf("%w\nthe service logged:\n%s", err, p.Log())
		}
	}()
	if err := p.AwaitReady(ctx); err != nil {
		return "", err
	}

	load, err := newPayload(v.batch, v.content, v.transport == "json")
	if err != nil {
		return "", err
	}
	senders, err := open(v, o, p)
	if err != nil {
		return "", err
	}
	defer func() {
		for _, s := range senders {
			err = errors.Join(err, s.close())
		}
	}()
	number := uint64(time.Now().UnixNano())
	var next atomic.Uint64
	warm, err := drive(ctx, senders, load, number, &next, o.warmUp, o.rate)
	if err != nil {
		return "", err
	}
	if err := drained(ctx, p, o, warm.requests*uint64(load.spans)); err != nil {
		return "", err
	}
	before, err := stateOf(ctx, p)
	if err != nil {
		return "", err
	}
	seen, err := drive(ctx, senders, load, number, &next, o.duration, o.rate)
	if err != nil {
		return "", err
	}
	spans := seen.requests * uint64(load.spans)
	start := time.Now()
	if err := drained(ctx, p, o, warm.requests*uint64(load.spans)+spans); err != nil {
		return "", err
	}
	drain := time.Since(start)
	after, err := stateOf(ctx, p)
	if err != nil {
		return "", err
	}
	per := func(n float64) float64 { return n / float64(spans) }
	name := v.transport
	if v.zip {
		name += "+gzip"
	}
	allocs := "-"
	if after.mallocs > 0 {
		allocs = fmt.Sprintf("%.1f", per(after.mallocs-before.mallocs))
	}
	whole := func(n float64) string { return strconv.FormatFloat(n, 'f', 0, 64) }
	return line(name, strconv.Itoa(v.content), strconv.Itoa(v.batch), whole(per(float64(seen.bytes))),
		whole(float64(spans)/(after.cpu-before.cpu).Seconds()), whole(float64(spans)/seen.took.Seconds()),
		fmt.Sprintf("%.2f", ms(seen.quantile(0.5))), fmt.Sprintf("%.2f", ms(seen.quantile(0.99))),
		whole(float64(after.peakRSS)/1e6), whole(per(float64(after.written-before.written))),
		allocs, fmt.Sprintf("%.1f", drain.Seconds())), nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// open makes the senders of one row.
func open(v variant, o options, p *e2etest.Process) ([]sender, error) {
	var senders []sender
	for range o.connections {
		if v.transport != "grpc" {
			senders = append(senders, newHTTPSender(p.HTTP, v.transport == "json", v.zip))
			continue
		}
		s, err := newGRPCSender(p.GRPC, v.zip)
		if err != nil {
			return nil, err
		}
		senders = append(senders, s)
	}
	return senders, nil
}

// state is a process's usage with its allocations.
type state struct {
	usage
	mallocs float64 // 0 where /metrics does not tell
}

func stateOf(ctx context.Context, p *e2etest.Process) (state, error) {
	u, err := usageOf(p.PID())
	if err != nil {
		return state{}, err
	}
	s := state{usage: u}
	answer, err := e2etest.Do(ctx, http.MethodGet, "http://"+p.Addr+"/metrics", nil, nil)
	if err != nil {
		return state{}, err
	}
	for line := range strings.Lines(string(answer.Body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name, _, _ = strings.Cut(name, "{"); name == "go_memstats_mallocs_total" || name == "go_memory_allocations_total" {
			if s.mallocs, err = strconv.ParseFloat(value[strings.LastIndexByte(value, ' ')+1:], 64); err != nil {
				return state{}, err
			}
		}
	}
	return s, nil
}

// drained waits until every span is counted and forwarded. Chats close some
// seconds after their last span: the wait costs the service no work.
func drained(ctx context.Context, p *e2etest.Process, o options, spans uint64) error {
	want := int64(spans) / spansPerTrace
	for deadline := time.Now().Add(5 * time.Minute); ; {
		var documents e2etest.Metrics
		if err := get(ctx, p, "/monitoring/metrics", &documents); err != nil {
			return err
		}
		var sinks struct {
			Sinks []e2etest.SinkStatus `json:"sinks"`
		}
		if err := get(ctx, p, "/monitoring/sinks", &sinks); err != nil {
			return err
		}
		counted := e2etest.Of(documents)
		sent := int64(spans)
		if o.sink != "none" {
			sent = sinks.Sinks[0].Sent
		}
		if counted.Chats == want && counted.Calls == want && counted.Searches == want && sent == int64(spans) {
			return nil
		}
		if counted.Chats > want || sent > int64(spans) || time.Now().After(deadline) {
			return fmt.Errorf("of %d traces %+v are counted, and %d of %d spans sent", want, counted, sent, spans)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, p *e2etest.Process, path string, v any) error {
	answer, err := e2etest.Do(ctx, http.MethodGet, "http://"+p.Addr+path, nil, nil)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, answer.Status, answer.Body)
	}
	return json.Unmarshal(answer.Body, v)
}
