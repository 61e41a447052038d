package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// The metrics of a process that add up. Machines may be shared by replicas, so that
// what they have left is that of the one with the least.
const (
	processCPU     = "process_cpu_time_seconds_total"
	processMemory  = "process_memory_usage_bytes"
	processThreads = "process_thread_count"
	available      = "system_memory_linux_available_bytes"
)

// mebibyte is the unit of memory in the guide's documents.
const mebibyte = 1 << 20

// system reads what the processes take, zero for what nobody told.
func (v *View) system(ctx context.Context, at time.Time, present []string) (System, error) {
	one := func(name string) string { return v.series(labels.MatchRegexp, present, name) }
	var s System
	threads := 0.0
	for _, q := range []struct {
		expr string
		to   *float64
		per  float64
	}{
		{fmt.Sprintf("sum(rate(%s[2m]))", one(processCPU)), &s.CPUPercent, 0.01},
		{fmt.Sprintf("sum(%s)", one(processMemory)), &s.MemoryUsageMiB, mebibyte},
		{fmt.Sprintf("min(%s)", one(available)), &s.MemoryAvailableMiB, mebibyte},
		{fmt.Sprintf("sum(%s)", one(processThreads)), &threads, 1},
	} {
		found, err := v.ask(ctx, at, q.expr)
		if err != nil {
			return System{}, err
		}
		if len(found) == 1 {
			*q.to = found[0].F / q.per
		}
	}
	s.Threads = int64(threads)
	return s, nil
}
