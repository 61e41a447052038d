package instrument

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/process"
)

// minSampleAge is the shortest time over which CPU use is measured: kernels
// count CPU time in steps of 10 ms.
const minSampleAge = 500 * time.Millisecond

// Sample is what is known about the resources of a process.
type Sample struct {
	// CPUPercent is over the time since the previous sample, of all threads; 100 is one core.
	CPUPercent float64
	// MemoryUsageMiB is resident memory; MemoryAvailableMiB is what the machine has left.
	MemoryUsageMiB     float64
	MemoryAvailableMiB float64
	Threads            int64
}

// usage is what the operating system counts for a process.
type usage struct {
	user, system   float64 // seconds of CPU since its start
	resident       uint64  // bytes
	available      uint64  // bytes
	threads        int64
	at             time.Time
	processStarted time.Time
}

// Process samples this process. It is safe for concurrent use.
type Process struct {
	read func() (usage, error)

	mu     sync.Mutex
	last   usage
	sample Sample
}

// NewProcess makes a sampler of this process; the first sample's CPU use is over
// its life so far. It fails where the operating system tells nothing.
func NewProcess() (*Process, error) {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("instrument: process: %w", err)
	}
	created, err := self.CreateTime()
	if err != nil {
		return nil, fmt.Errorf("instrument: process: %w", err)
	}
	started := time.UnixMilli(created)
	return newProcess(func() (usage, error) { return readUsage(self, started) })
}

func newProcess(read func() (usage, error)) (*Process, error) {
	p := &Process{read: read}
	if _, err := p.Sample(); err != nil {
		return nil, err
	}
	return p, nil
}

func readUsage(self *process.Process, started time.Time) (usage, error) {
	times, err := self.Times()
	if err != nil {
		return usage{}, fmt.Errorf("instrument: CPU time: %w", err)
	}
	memory, err := self.MemoryInfo()
	if err != nil {
		return usage{}, fmt.Errorf("instrument: memory: %w", err)
	}
	threads, err := self.NumThreads()
	if err != nil {
		return usage{}, fmt.Errorf("instrument: threads: %w", err)
	}
	machine, err := mem.VirtualMemoryWithContext(context.Background())
	if err != nil {
		return usage{}, fmt.Errorf("instrument: memory of the machine: %w", err)
	}
	return usage{
		user: times.User, system: times.System,
		resident: memory.RSS, available: machine.Available, threads: int64(threads),
		at: time.Now(), processStarted: started,
	}, nil
}

// Sample gives the present figures. Askers within half a second of each other
// get the same sample. On an error the last sample is given with it.
func (p *Process) Sample() (Sample, error) {
	_, sample, err := p.observe()
	return sample, err
}

// observe gives the sample with the counts it was made of.
func (p *Process) observe() (usage, Sample, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.last.at.IsZero() && time.Since(p.last.at) < minSampleAge {
		return p.last, p.sample, nil
	}
	now, err := p.read()
	if err != nil {
		return p.last, p.sample, err
	}
	since, before := now.processStarted, 0.0
	if !p.last.at.IsZero() {
		since, before = p.last.at, p.last.user+p.last.system
	}
	const mebibyte = 1 << 20
	p.sample = Sample{
		CPUPercent:         cpuPercent(now.user+now.system-before, now.at.Sub(since)),
		MemoryUsageMiB:     float64(now.resident) / mebibyte,
		MemoryAvailableMiB: float64(now.available) / mebibyte,
		Threads:            now.threads,
	}
	p.last = now
	return now, p.sample, nil
}

// cpuPercent gives seconds of CPU over a time as a percentage of one core.
func cpuPercent(seconds float64, over time.Duration) float64 {
	if over <= 0 || seconds <= 0 {
		return 0
	}
	return 100 * seconds / over.Seconds()
}
