package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat's times on Linux (USER_HZ).
const tick = 10 * time.Millisecond

// usage is what a process has used since it started.
type usage struct {
	cpu     time.Duration // user and system
	peakRSS int64         // bytes
	written int64         // bytes handed to the storage layer
}

// usageOf reads a running process's usage from /proc.
func usageOf(pid int) (usage, error) {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The second field, the name, is in parentheses and may hold spaces.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(ticks) * tick
	}
	kib, err := procValue(pid, "status", "VmHWM:")
	if err != nil {
		return u, err
	}
	u.peakRSS = kib << 10
	u.written, err = procValue(pid, "io", "write_bytes:")
	return u, err
}

// procValue reads the number behind a key of a file below /proc/PID.
func procValue(pid int, file, key string) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/%d/%s has no %s", pid, file, key)
}
