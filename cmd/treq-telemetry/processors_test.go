package main

import (
	"runtime"
	"testing"
)

// TestSpare adds processors and takes them back, and lets the environment's number stand.
func TestSpare(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	for environment, want := range map[string]int{"": before + spareProcessors, "7": before} {
		t.Setenv("GOMAXPROCS", environment)
		back := spare()
		if got := runtime.GOMAXPROCS(0); got != want {
			t.Errorf("GOMAXPROCS=%q: %d processors, want %d", environment, got, want)
		}
		back()
		if got := runtime.GOMAXPROCS(0); got != before {
			t.Errorf("GOMAXPROCS=%q: %d processors are left, want %d", environment, got, before)
		}
	}
}
