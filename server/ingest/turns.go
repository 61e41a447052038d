package ingest

import "sync"

// turns lets large bodies be worked on by few at a time: more would not be faster,
// and each holds what it stands for. Bodies take as many bytes of the total as they
// need, in the order they came; one that needs more than the total has it alone.
// The zero value has a total of 0: one at a time. Safe for concurrent use.
type turns struct {
	total int64

	mu      sync.Mutex
	taken   int64
	waiting []*turn // in order
}

// turn is one that waits.
type turn struct {
	n     int64
	ready chan struct{} // closed when it has its bytes
}

// take waits for n bytes. Who holds some must not take more.
func (t *turns) take(n int64) {
	t.mu.Lock()
	if len(t.waiting) == 0 && t.fits(n) {
		t.taken += n
		t.mu.Unlock()
		return
	}
	own := &turn{n: n, ready: make(chan struct{})}
	t.waiting = append(t.waiting, own)
	t.mu.Unlock()
	<-own.ready
}

// more adds n bytes to what is held, without waiting.
func (t *turns) more(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken += n
}

// give returns n bytes to those that wait.
func (t *turns) give(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken -= n
	for len(t.waiting) > 0 && t.fits(t.waiting[0].n) {
		next := t.waiting[0]
		t.waiting[0] = nil
		t.waiting = t.waiting[1:]
		t.taken += next.n
		close(next.ready)
	}
}

func (t *turns) fits(n int64) bool { return t.taken == 0 || t.taken+n <= t.total }
