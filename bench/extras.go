package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// starts are the medians of several starts on empty directories.
type starts struct {
	ready float64 // ms from exec to the first answer
	idle  float64 // bytes resident after a few seconds without load
}

func measureStarts(ctx context.Context, k kind, o options, times int) (s starts, err error) {
	var ready, idle []float64
	for i := range times {
		one, err := measureStart(ctx, k, o, i == 0)
		if err != nil {
			return s, fmt.Errorf("start of %s: %w", k, err)
		}
		ready = append(ready, one.ready)
		if one.idle > 0 {
			idle = append(idle, one.idle)
		}
	}
	return starts{ready: median(ready), idle: median(idle)}, nil
}

func measureStart(ctx context.Context, k kind, o options, rest bool) (s starts, err error) {
	began := time.Now()
	b, err := open(ctx, k, http512, setup{}, o)
	s.ready = ms(time.Since(began))
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil || !rest {
		return s, err
	}
	select {
	case <-ctx.Done():
		return s, ctx.Err()
	case <-time.After(5 * time.Second):
	}
	kib, err := procValue(b.pid(), "status", "VmRSS:")
	s.idle = float64(kib << 10)
	return s, err
}

// measureReplay fills a journal, takes the totals away and times the start that
// counts everything again: seconds for each GB of uncompressed records.
func measureReplay(ctx context.Context, o options, gigabytes float64) (perGB float64, err error) {
	b, err := open(ctx, oursMemory, http512, setup{}, o)
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil {
		return 0, err
	}
	defer func() { err = b.failed(err) }()
	load, err := newPayload(512, 1536, false)
	if err != nil {
		return 0, err
	}
	var bytes float64
	for bytes < gigabytes*1e9 {
		seen, err := b.drive(ctx, load, time.Second, 0)
		if err != nil {
			return 0, err
		}
		bytes += float64(seen.bytes)
	}
	if err := b.settled(ctx, b.sent, b.sink); err != nil {
		return 0, err
	}
	if err := b.kill(); err != nil {
		return 0, err
	}
	if err := forget(filepath.Join(b.dir, "data")); err != nil {
		return 0, err
	}
	began := time.Now()
	if b.server, err = startProduct(setup{dir: b.dir, binaries: o.binaries}, "memory"); err != nil {
		return 0, err
	}
	if err := b.ready(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	// The totals after a replay are the proof that it was one.
	if err := b.settled(ctx, b.sent, b.sink); err != nil {
		return 0, err
	}
	return took.Seconds() / (bytes / 1e9), nil
}

// forget removes all but the journal's segments and the directory's identity.
func forget(data string) error {
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "journal" && name != "identity.json" {
			if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// longWarmUp is the load that a process gets before it is called fresh.
const longWarmUp = 10 * time.Second

// longRun is what a long life costs.
type longRun struct {
	fresh, old sample
	spans      int64
	open       int
}

// measureLongRun compares a fresh process with itself after many spans and with
// traces open that never end.
func measureLongRun(ctx context.Context, o options, spans int64, traces int) (l longRun, err error) {
	b, err := open(ctx, oursFsync, http512, setup{}, o)
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil {
		return l, err
	}
	defer func() { err = b.failed(err) }()
	load, err := newPayload(512, 1536, false)
	if err != nil {
		return l, err
	}
	// Half a second would flatter what is old: the first spans of a process pay for its tables.
	if _, err := b.drive(ctx, load, max(o.warmUp, longWarmUp), 0); err != nil {
		return l, err
	}
	if l.fresh, err = b.window(ctx, load, o.duration, 0); err != nil {
		return l, err
	}
	for b.sent.spans < spans {
		if _, err := b.drive(ctx, load, time.Second, 0); err != nil {
			return l, err
		}
	}
	if err := b.settled(ctx, b.sent, b.sink); err != nil {
		return l, err
	}
	rootless, err := newRootless(512)
	if err != nil {
		return l, err
	}
	for l.open < traces {
		n := b.next.Add(1)
		if _, err := b.senders[0].send(ctx, rootless.fill(nil, b.run, n)); err != nil {
			return l, err
		}
		b.sent.spans += int64(rootless.spans)
		l.open += rootless.spans / (spansPerTrace - 1)
	}
	l.spans = b.sent.spans
	l.old, err = b.window(ctx, load, o.duration, 0)
	return l, err
}
