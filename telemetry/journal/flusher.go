package journal

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// flushEvery is how much a power cut may cost in Memory mode.
const flushEvery = time.Second

// flusher makes files durable behind the writer's back in Memory mode. The zero
// value does nothing until start.
type flusher struct {
	mu      sync.Mutex
	running bool
	file    File // of the active segment
	retired []File
	written atomic.Int64 // offset in file before which all is written
	cooling cooling      // of file
	journal *Journal
	done    chan struct{}
	wait    sync.WaitGroup
}

// start begins flushing.
func (f *flusher) start(j *Journal) {
	f.running, f.journal, f.done = true, j, make(chan struct{})
	f.wait.Go(func() {
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := f.flush(); err != nil {
					j.fault(err)
				}
			case <-f.done:
				return
			}
		}
	})
}

// use makes file, of the segment with that base, the one that is written.
func (f *flusher) use(file File, base Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running {
		f.file, f.cooling = file, cooling{base: base}
		f.written.Store(segmentHeader)
	}
}

// retire hands over a file that is written no more, to be flushed and closed.
func (f *flusher) retire(file File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.file = nil
	f.retired = append(f.retired, file)
}

// forget drops the file in use, which its owner closes.
func (f *flusher) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.file = nil
}

// flush makes durable what there is. It holds the lock meanwhile, so that no file
// is closed under it.
func (f *flusher) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	if f.file != nil {
		written := f.written.Load()
		err := f.file.Sync()
		if err == nil {
			f.cooling.until(f.journal, f.file, written)
		}
		errs = append(errs, err)
	}
	for _, r := range f.retired {
		errs = append(errs, r.Sync(), r.Close())
	}
	f.retired = nil
	return errors.Join(errs...)
}

// stop ends the flushing after a last flush.
func (f *flusher) stop() error {
	if !f.running {
		return nil
	}
	close(f.done)
	f.wait.Wait()
	return f.flush()
}
