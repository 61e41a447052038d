package journal

import (
	"context"
	"sync"
)

// Reached tells how far a reader has come to those who wait for it. The zero value is
// at the beginning. Safe for concurrent use.
type Reached struct {
	mu      sync.Mutex
	pos     Position
	changed chan struct{} // closed when pos grows; nil while nobody waits
}

// Advance notes that everything before a position was dealt with. It never goes back.
func (r *Reached) Advance(pos Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pos <= r.pos {
		return
	}
	r.pos = pos
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Await returns once everything before a position was dealt with, or with ctx's error.
func (r *Reached) Await(ctx context.Context, pos Position) error {
	for {
		r.mu.Lock()
		if r.pos >= pos {
			r.mu.Unlock()
			return nil
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
