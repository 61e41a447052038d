package reported_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"treq/telemetry/instrument"
	"treq/telemetry/reported"
)

const mebibyte = 1 << 20

func TestSystem(t *testing.T) {
	type parts []func(pmetric.MetricSlice)
	for name, c := range map[string]struct {
		parts parts
		want  instrument.Sample
	}{
		"semantic conventions": {
			parts{
				number("process.cpu.utilization", 0, false, 0, 0.25, "cpu.mode", "user"),
				number("process.cpu.utilization", 0, false, 0, 0.125, "cpu.mode", "system"),
				number("process.memory.usage", cumulative, false, 0, 300*mebibyte),
				number("process.thread.count", cumulative, false, 0, 12),
				number("system.memory.linux.available", cumulative, false, 0, 2048*mebibyte),
			},
			instrument.Sample{CPUPercent: 37.5, MemoryUsageMiB: 300, MemoryAvailableMiB: 2048, Threads: 12},
		},
		"Python": {
			parts{
				number("process.runtime.cpython.cpu.utilization", 0, false, 0, 1.5),
				number("process.runtime.cpython.memory", cumulative, false, 0, 256.5*mebibyte, "type", "rss"),
				number("process.runtime.cpython.memory", cumulative, false, 0, 9999*mebibyte, "type", "vms"),
				number("process.runtime.cpython.thread_count", cumulative, false, 0, 4),
				number("system.memory.usage", 0, false, 0, 100*mebibyte, "state", "used"),
				number("system.memory.usage", 0, false, 0, 64*mebibyte, "state", "free"),
			},
			instrument.Sample{CPUPercent: 150, MemoryUsageMiB: 256.5, MemoryAvailableMiB: 64, Threads: 4},
		},
		"the better source wins": {
			parts{
				number("process.runtime.cpython.memory", cumulative, false, 0, mebibyte, "type", "rss"),
				number("process.memory.usage", cumulative, false, 0, 2*mebibyte),
				number("system.memory.usage", 0, false, 0, 3*mebibyte, "system.memory.state", "available"),
				number("system.memory.usage", 0, false, 0, 4*mebibyte, "system.memory.state", "free"),
				number("process.cpu.time", cumulative, true, 0, 1000),
				number("process.cpu.utilization", 0, false, 0, 0.5),
			},
			instrument.Sample{CPUPercent: 50, MemoryUsageMiB: 2, MemoryAvailableMiB: 3},
		},
	} {
		s := reported.NewStore(reported.Options{})
		consume(t, s, 0, request(t, "app", "", c.parts...))
		consume(t, s, 0, request(t, "other", "", number("process.thread.count", 0, false, 0, 99)))
		if got, ok := s.System("app"); !ok || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, ok, c.want)
		}
	}
}

// JavaScript's host metrics are gauges where Python's are sums: neither keeps the
// other's service from being heard.
func TestSystemOfServicesInTwoLanguages(t *testing.T) {
	for _, kinds := range [][2]pmetric.AggregationTemporality{{0, cumulative}, {cumulative, 0}} {
		s := reported.NewStore(reported.Options{})
		for i, name := range []string{"first", "second"} {
			consume(t, s, 0, request(t, name, "",
				number("process.memory.usage", kinds[i], false, 0, float64(i+1)*mebibyte),
				number("process.thread.count", kinds[i], false, 0, float64(i+1))))
		}
		for i, name := range []string{"first", "second"} {
			want := instrument.Sample{MemoryUsageMiB: float64(i + 1), Threads: int64(i + 1)}
			if got, ok := s.System(name); !ok || got != want {
				t.Errorf("%v: %s: got %+v, %v, want %+v", kinds, name, got, ok, want)
			}
		}
	}
}

func TestSystemOfAServiceThatReportsNone(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	consume(t, s, 0, request(t, "app", "", number("queue", 0, false, 0, 1), explicit("process.memory.usage", cumulative, 1, nil, 1)))
	for _, service := range []string{"app", "nobody", ""} {
		if got, ok := s.System(service); ok {
			t.Errorf("%q reported %+v", service, got)
		}
	}
}

func TestCPUFromTime(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	report := func(at time.Duration, user, system float64) {
		consume(t, s, at, request(t, "app", "",
			number("process.cpu.time", cumulative, true, at, user, "cpu.mode", "user"),
			number("process.cpu.time", cumulative, true, at, system, "cpu.mode", "system")))
	}
	expect := func(want float64) {
		t.Helper()
		if got, ok := s.System("app"); !ok || got.CPUPercent != want {
			t.Errorf("got %v, %v, want %v", got.CPUPercent, ok, want)
		}
	}
	report(0, 100, 50)
	expect(0)
	report(10*time.Second, 102.5, 51.25)
	expect(37.5)
	report(20*time.Second, 1, 1) // a restart
	expect(0)
}

func TestOfSeveralInstancesTheLastHeardCounts(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	for i, instance := range []string{"a", "c", "b", "a", "b"} {
		at := time.Duration(i) * time.Second
		consume(t, s, at, request(t, "app", instance, number("process.thread.count", 0, false, at, float64(i))))
	}
	if got, ok := s.System("app"); !ok || got.Threads != 4 {
		t.Errorf("got %+v, %v, want the 4 threads of b", got, ok)
	}
}
