package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// flags are the command line.
type flags struct {
	options
	all        bool
	only       string
	out        string
	rows       []row
	serve, on  string
	ask        string
	transports string
	contents   string
	batches    string
	servers    string
	zip        bool
	rate       int
	proxy      string
}

func parse(args []string) (f flags, err error) {
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.BoolVar(&f.all, "full", false, "every transport, content and batch on every server, and the long run")
	set.StringVar(&f.only, "only", "", "parts to measure, a list: loads, allocs, starts, replay, get, scrapes, long")
	set.StringVar(&f.out, "out", "", "Markdown file that the result is written to as well")
	set.StringVar(&f.transports, "transport", "", "measure these loads only: http, json, grpc (a list)")
	set.StringVar(&f.contents, "content", "1536", "with -transport: bytes of prompt, and of completion, on each model call (a list)")
	set.StringVar(&f.batches, "batch", "64,512", "with -transport: spans a request, a multiple of 4 (a list)")
	set.StringVar(&f.servers, "servers", "fsync,memory,collector,collector-durable", "with -transport: servers (a list), also redacted: the service with --redact=br, langsmith and langsmith-passing: with a sink of that profile, which completes spans or passes them on, collector-proxy")
	set.StringVar(&f.proxy, "collector-proxy", "", "build of LangChain's langsmith-collector-proxy to measure as well")
	set.BoolVar(&f.zip, "gzip", false, "with -transport: the clients compress, and the sink gets gzip")
	set.IntVar(&f.rate, "rate", 0, "with -transport: spans a second that are sent; 0 for as many as are answered")
	set.IntVar(&f.connections, "connections", 4, "clients, each waiting for its answer; twice as many at a fixed rate")
	set.DurationVar(&f.warmUp, "warm-up", 500*time.Millisecond, "load before the measurement")
	set.DurationVar(&f.duration, "duration", 2*time.Second, "load that is measured; 3s with -full")
	set.IntVar(&f.rounds, "rounds", 3, "measurements of each load on each server")
	set.StringVar(&f.dir, "dir", "", "where data directories are made (default: the system's temporary directory)")
	set.StringVar(&f.profiles, "profiles", "", "existing directory that a CPU profile of the product is written to for each measured load")
	set.StringVar(&f.serve, "serve-series", "", "serve the series of this file with client_golang, and nothing else")
	set.StringVar(&f.ask, "ask", "", "ask for this address and print what each answer took, and nothing else")
	set.StringVar(&f.on, "serve-on", "", "with -serve-series: host:port")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	f.rows = quick()
	if f.all {
		f.rows = full()
		if f.duration == 2*time.Second {
			f.duration = 3 * time.Second
		}
	}
	if f.proxy != "" {
		f.rows = append(f.rows, throughProxy)
	}
	if f.transports != "" {
		f.only = "loads"
		f.rows, err = f.expand()
	}
	return f, err
}

// expand gives every combination of the lists.
func (f flags) expand() ([]row, error) {
	var servers []kind
	for name := range strings.SplitSeq(f.servers, ",") {
		k, ok := kinds[name]
		if !ok {
			return nil, fmt.Errorf("no server %q", name)
		}
		servers = append(servers, k)
	}
	transports := strings.Split(f.transports, ",")
	for _, transport := range transports {
		if transport != "http" && transport != "json" && transport != "grpc" {
			return nil, fmt.Errorf("no transport %q", transport)
		}
	}
	contents, err1 := numbers(f.contents, 0, 1)
	batches, err2 := numbers(f.batches, spansPerTrace, spansPerTrace)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return matrix(transports, contents, batches, f.zip, f.rate, servers), nil
}

func numbers(list string, least, multiple int) (all []int, err error) {
	for one := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(one)
		if err != nil {
			return nil, err
		}
		if n < least || n%multiple != 0 {
			return nil, fmt.Errorf("%d is out of range", n)
		}
		all = append(all, n)
	}
	return all, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	f, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.serve != "" {
		return serveSeries(f.serve, f.on)
	}
	if f.ask != "" {
		return ask(f.ask, out)
	}
	dir, err := os.MkdirTemp(f.dir, "treq-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f.dir = dir
	if f.binaries, err = buildAll(ctx, dir, f.asks("allocs", true)); err != nil {
		return err
	}
	f.binaries.proxy = f.proxy
	result, err := f.measure(ctx, progress)
	command := "go run ./bench " + strings.Join(args, " ")
	var text strings.Builder
	result.write(&text, f.options, command)
	fmt.Fprint(out, text.String())
	if f.out != "" {
		err = errors.Join(err, os.WriteFile(f.out, []byte(text.String()), 0o644))
	}
	return err
}

// asks tells whether a part is measured: by name, or without one.
func (f flags) asks(part string, unnamed bool) bool {
	if f.only == "" {
		return unnamed
	}
	return strings.Contains(","+f.only+",", ","+part+",")
}

// measure takes the parts that were asked for; what was found until an error is
// given with it.
func (f flags) measure(ctx context.Context, progress io.Writer) (r found, err error) {
	r.starts, r.allocs = map[kind]starts{}, map[kind]sample{}
	parts := []struct {
		name string
		ask  bool // measured without being named
		do   func() error
	}{
		{"starts", true, func() error {
			for _, k := range []kind{oursFsync, collectorMemory} {
				if r.starts[k], err = measureStarts(ctx, k, f.options, 7); err != nil {
					return err
				}
			}
			return nil
		}},
		{"scrapes", true, func() (err error) {
			r.scrapes, err = measureScrapes(ctx, f.options)
			return err
		}},
		{"get", true, func() (err error) {
			r.get, err = measure(ctx, oursFsync, http512, f.options, asks{gets: true})
			return err
		}},
		{"replay", true, func() (err error) {
			r.replay, err = measureReplay(ctx, f.options, 1)
			return err
		}},
		{"allocs", true, func() error {
			for _, k := range []kind{oursFsync, collectorMemory} {
				if r.allocs[k], err = measure(ctx, k, http512, f.options, asks{allocs: true}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"loads", true, func() (err error) {
			r.samples, err = measureAll(ctx, f.rows, f.options, progress)
			return err
		}},
		{"long", f.all, func() (err error) {
			r.long, err = measureLongRun(ctx, f.options, 10_000_000, 10_000)
			return err
		}},
	}
	var faults []error
	for _, part := range parts {
		if f.asks(part.name, part.ask) {
			fmt.Fprintf(progress, "measuring %s\n", part.name)
			if err := part.do(); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", part.name, err))
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return r, errors.Join(faults...)
}
