package demo

import (
	"context"
	"os"

	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/process"
	"go.opentelemetry.io/otel/metric"
)

// observeProcess reports this process and its machine by the names of the semantic conventions.
func observeProcess(m metric.Meter) error {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return err
	}
	cpu, err := m.Float64ObservableCounter("process.cpu.time", metric.WithUnit("s"))
	if err != nil {
		return err
	}
	memory, err := m.Int64ObservableUpDownCounter("process.memory.usage", metric.WithUnit("By"))
	if err != nil {
		return err
	}
	threads, err := m.Int64ObservableUpDownCounter("process.thread.count", metric.WithUnit("{thread}"))
	if err != nil {
		return err
	}
	available, err := m.Int64ObservableUpDownCounter("system.memory.linux.available", metric.WithUnit("By"))
	if err != nil {
		return err
	}
	// What the platform does not tell is left out: a zero would be a claim.
	_, err = m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		if t, err := self.TimesWithContext(ctx); err == nil {
			o.ObserveFloat64(cpu, t.User+t.System)
		}
		if info, err := self.MemoryInfoWithContext(ctx); err == nil {
			o.ObserveInt64(memory, int64(info.RSS))
		}
		if n, err := self.NumThreadsWithContext(ctx); err == nil {
			o.ObserveInt64(threads, int64(n))
		}
		if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
			o.ObserveInt64(available, int64(m.Available))
		}
		return nil
	}, cpu, memory, threads, available)
	return err
}
