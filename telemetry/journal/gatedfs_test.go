package journal_test

import (
	"runtime"
	"sync/atomic"

	"treq/telemetry/journal"
)

// gatedFS holds every Sync of a file created through it while closed is set: the
// Sync tells entered and waits for proceed.
type gatedFS struct {
	*brokenFS
	closed           atomic.Bool
	entered, proceed chan struct{}
}

func (g *gatedFS) Create(name string) (journal.File, error) {
	f, err := g.brokenFS.Create(name)
	return &gatedFile{f, g}, err
}

type gatedFile struct {
	journal.File
	gate *gatedFS
}

func (f *gatedFile) Sync() error {
	if f.gate.closed.Load() {
		f.gate.entered <- struct{}{}
		<-f.gate.proceed
	}
	return f.File.Sync()
}

func yield() { runtime.Gosched() }
