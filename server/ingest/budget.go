package ingest

import (
	"sync/atomic"

	"treq/telemetry"
)

// budget is a semaphore of bytes: what all requests in flight hold together.
type budget struct {
	free  atomic.Int64
	total atomic.Int64
}

// resize sets the total; below what is taken now, nothing is free until enough
// has come back.
func (b *budget) resize(total int64) { b.free.Add(total - b.total.Swap(total)) }

// scarce tells whether more than half is taken: by many senders, or by some
// that announce much and send nothing.
func (b *budget) scarce() bool { return b.free.Load() < b.total.Load()/2 }

func (b *budget) take(n int64) bool {
	for {
		free := b.free.Load()
		if free < n {
			return false
		}
		if b.free.CompareAndSwap(free, free-n) {
			return true
		}
	}
}

// lease is one request's share of the budget. It grows with what really came,
// never with what was announced. The zero value with b set holds nothing.
type lease struct {
	b    *budget
	held int64
}

// grow takes n bytes more, or says that there is no room now.
func (l *lease) grow(n int64) error {
	if n <= 0 {
		return nil
	}
	if !l.b.take(n) {
		return telemetry.Errorf(telemetry.Unavailable, "too many bytes in flight; send the request again")
	}
	l.held += n
	return nil
}

// shrink gives n bytes back.
func (l *lease) shrink(n int64) {
	l.held -= n
	l.b.free.Add(n)
}

func (l *lease) end() {
	l.b.free.Add(l.held)
	l.held = 0
}
