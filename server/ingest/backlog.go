package ingest

import (
	"sync"
	"time"

	"treq/telemetry/compress"
)

const (
	// backlogBytes is what very large bodies hold behind the log before the next one
	// waits: one of the largest.
	backlogBytes = 64 << 20
	// backlogFor is how long each counts at most: who takes longer to read it is stuck,
	// and the doors never wait for a sink.
	backlogFor = time.Second
)

// backlog counts very large bodies that were kept and are still in memory, since not
// every reader of the log has let them go. Clients that send one such body after the
// other would be ahead of the readers by several: each waits, before it takes memory,
// until there is room behind the log. Safe for concurrent use; the zero value is ready.
type backlog struct {
	mu      sync.Mutex
	bytes   int64
	changed chan struct{} // closed when bytes falls; nil while nobody waits
}

// veryLarge tells whether a body of n bytes is of those that are counted: the ones of
// which no buffers are kept.
func veryLarge(n int64) bool { return n > compress.Pooled }

// wait returns when n bytes more fit, or nothing else is there.
func (b *backlog) wait(n int64) {
	for {
		b.mu.Lock()
		if b.bytes == 0 || b.bytes+n <= backlogBytes {
			b.mu.Unlock()
			return
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		<-changed
	}
}

// add counts n bytes until done is called, and no longer than backlogFor.
func (b *backlog) add(n int64) (done func()) {
	b.mu.Lock()
	b.bytes += n
	b.mu.Unlock()
	once := sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.bytes -= n
		if b.changed != nil {
			close(b.changed)
			b.changed = nil
		}
	})
	late := time.AfterFunc(backlogFor, once)
	return func() {
		late.Stop()
		once()
	}
}
