package torture

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	"treq/server"
	"treq/server/config"
	"treq/test/e2e/e2etest"
)

// cycles starts and stops the whole service in this process, with a sink that is down.
func cycles(t *testing.T, f *figures) {
	times := size(15, 1000, 5000)
	sink := e2etest.NewSink(t)
	sink.Down()
	path := t.TempDir() + "/treq.yaml"
	if err := os.WriteFile(path, []byte(toSink(sink)), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Sources{File: path, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	c := loaded.Config
	c.Listen = config.Address{HostPort: "127.0.0.1:0", Explicit: true}
	c.OTLP.HTTP, c.OTLP.GRPC = c.Listen, c.Listen
	c.DataDir = t.TempDir() + "/data"
	traces := e2etest.NewGenerator(21)
	once := func() {
		s, err := server.New(t.Context(), c, slog.New(slog.DiscardHandler), "torture")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		one, _, _ := s.Addr()
		trace := traces.Trace(e2etest.Question{}, time.Now())
		if err := e2etest.Send(t.Context(), "http://"+one+"/v1/traces", e2etest.Encoding{}, e2etest.Request(service, trace.Spans...)); err != nil {
			t.Fatal(err)
		}
		e2etest.CloseIdle()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for range 5 {
		once()
	}
	goroutines, open, before := runtime.NumGoroutine(), files(t, os.Getpid()), heap()
	for range times {
		once()
	}
	// The other ends of connections close in their own time.
	_ = within(5*time.Second, func() error {
		if runtime.NumGoroutine() > goroutines || files(t, os.Getpid()) > open {
			return context.DeadlineExceeded
		}
		return nil
	})
	dg, df, dh := runtime.NumGoroutine()-goroutines, files(t, os.Getpid())-open, heap()-before
	f.say("%d cycles", times)
	f.want(dg <= 2 && dg >= -2, "%+d goroutines", dg)
	f.want(df <= 2, "%+d files", df)
	f.aim(dh < 5<<20, "heap %+.1f MB", float64(dh)/1e6)
}

// soak runs the service for a while at a steady rate with a sink that flaps.
func soak(e *exactness) func(*testing.T, *figures) {
	return func(t *testing.T, f *figures) {
		length := size(4*time.Second, 2*time.Minute, time.Hour)
		sink := e2etest.NewSink(t)
		s := e2etest.Start(t, e2etest.Spec{Config: toSink(sink) + "journal:\n  max_bytes: 64MiB\n  segment_bytes: 4MiB\n"})
		load := startLoad(t, s, plan{workers: 1, traces: 38, every: 100 * time.Millisecond}) // 1,500 spans a second
		time.Sleep(length / 3)
		from, at := memory(t, s, "VmRSS"), time.Now()
		for range 4 {
			sink.Down()
			time.Sleep(length / 24)
			sink.Up()
			time.Sleep(length / 8)
		}
		grown := memory(t, s, "VmRSS") - from
		slope := float64(grown) / (1 << 20) / time.Since(at).Hours()
		open := files(t, s.PID())
		load.finish()
		f.say("%v at 1,500 spans/s, the sink away 4 times", length)
		f.delivered(load.ledger, sink)
		f.want(load.refused.Load() == 0, "%d refused", load.refused.Load())
		f.aim(size(true, true, slope < 1), "RSS %+d MiB over the last two thirds", grown>>20)
		f.want(open < 100, "%d files open", open)
		e.totals(t, s, load.ledger.Totals())
	}
}
