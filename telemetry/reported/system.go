package reported

import (
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"treq/telemetry/instrument"
)

// System gives what a service reported about its process, from the metrics of
// the semantic conventions or of OpenTelemetry's Python instrumentation; fields
// that it did not report are 0. Of several instances of a service it is the one
// heard last. False if the service reported none of it.
func (s *Store) System(service string) (instrument.Sample, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	instances := map[string]*figures{}
	for one := range s.services[service] {
		role, better := roleOf(one)
		if role == noRole {
			continue
		}
		id, _ := one.attrs.Value(attribute.Key(attrInstance))
		f := instances[id.AsString()]
		if f == nil {
			f = &figures{}
			instances[id.AsString()] = f
		}
		f.add(role, better, one)
	}
	var last *figures
	var lastID string
	for id, f := range instances {
		if last == nil || f.seen.After(last.seen) || f.seen.Equal(last.seen) && id < lastID {
			last, lastID = f, id
		}
	}
	if last == nil {
		return instrument.Sample{}, false
	}
	const mebibyte = 1 << 20
	return instrument.Sample{
		CPUPercent:         100 * last.value[cpuRole],
		MemoryUsageMiB:     last.value[memoryRole] / mebibyte,
		MemoryAvailableMiB: last.value[availableRole] / mebibyte,
		Threads:            int64(last.value[threadsRole]),
	}, true
}

// role is the field that a series tells.
type role uint8

const (
	noRole role = iota
	cpuRole
	memoryRole
	availableRole
	threadsRole
	roles
)

// figures are the fields of one instance, each from the best source it has.
type figures struct {
	value [roles]float64
	rank  [roles]int
	seen  time.Time
}

// add takes a series; those of equal rank add up, such as user and system time.
func (f *figures) add(r role, rank int, one *series) {
	f.seen = later(f.seen, one.seen)
	value := max(one.value, 0)
	if strings.HasSuffix(one.name, "time") {
		value = one.rate()
	}
	switch {
	case rank > f.rank[r]:
		f.rank[r], f.value[r] = rank, value
	case rank == f.rank[r]:
		f.value[r] += value
	}
}

// rate gives a counter's growth a second between its last two points.
func (s *state) rate() float64 {
	if s.previousAt.IsZero() || !s.at.After(s.previousAt) || s.value < s.previous {
		return 0
	}
	return (s.value - s.previous) / s.at.Sub(s.previousAt).Seconds()
}

// roleOf says what a series tells, and how good a source it is.
func roleOf(one *series) (r role, rank int) {
	if one.kind >= histogram {
		return noRole, 0
	}
	attr := func(keys ...string) string {
		for _, key := range keys {
			if v, ok := one.attrs.Value(attribute.Key(key)); ok {
				return v.AsString()
			}
		}
		return ""
	}
	switch one.name {
	case "process.cpu.utilization":
		return cpuRole, 3
	case "process.cpu.time":
		return cpuRole, 1
	case "process.memory.usage":
		return memoryRole, 3
	case "process.memory.rss", "process.physical_memory.usage":
		return memoryRole, 2
	case "system.memory.linux.available":
		return availableRole, 3
	case "system.memory.usage":
		switch attr("system.memory.state", "state") {
		case "available":
			return availableRole, 2
		case "free":
			return availableRole, 1
		}
	case "process.thread.count":
		return threadsRole, 3
	case "process.threads":
		return threadsRole, 2
	}
	// process.runtime.cpython.thread_count, process.runtime.pypy.memory, …
	runtime, ok := strings.CutPrefix(one.name, "process.runtime.")
	if !ok {
		return noRole, 0
	}
	_, what, _ := strings.Cut(runtime, ".")
	switch what {
	case "cpu.utilization":
		return cpuRole, 2
	case "memory":
		if attr("type") == "rss" {
			return memoryRole, 1
		}
	case "thread_count":
		return threadsRole, 1
	}
	return noRole, 0
}
