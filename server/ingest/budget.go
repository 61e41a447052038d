package ingest

import (
	"sync/atomic"

	"treq/telemetry"
	"treq/telemetry/compress"
)

// budget is a semaphore of bytes: what all requests in flight hold together.
type budget struct {
	free  atomic.Int64
	total atomic.Int64

	// decoding are the turns of large bodies, counting those of bodies that are
	// decoded to nowhere: half the processors', since those that do are most likely
	// bombs, and others want to be served meanwhile.
	decoding, counting turns

	// behind is what the largest bodies still hold when they are answered.
	behind backlog
}

// resize sets the total; below what is taken now, nothing is free until enough
// has come back.
func (b *budget) resize(total int64) { b.free.Add(total - b.total.Swap(total)) }

// scarce tells whether more than half is taken: by many senders, or by some
// that announce much and send nothing.
func (b *budget) scarce() bool { return b.free.Load() < b.total.Load()/2 }

// busy tells whether a sixteenth is taken: more than a few usual requests at once.
func (b *budget) busy() bool { return b.free.Load() < b.total.Load()/16*15 }

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
	// working is what it has taken of the turns.
	working int64
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

// turn waits until n bytes may be worked on, if they are many. One that has its
// turn has it for these as well.
func (l *lease) turn(n int64) {
	switch {
	case n <= largeRoom:
	case l.working > 0:
		l.b.decoding.more(n)
		l.working += n
	default:
		if veryLarge(n) {
			l.b.behind.wait(n)
		}
		l.b.decoding.take(n)
		l.working = n
	}
}

// rest ends the turn: what follows is waiting.
func (l *lease) rest() {
	if l.working > 0 {
		l.b.decoding.give(l.working)
		l.working = 0
	}
}

// exceeds is compress.Exceeds in turn.
func (l *lease) exceeds(enc compress.Encoding, src []byte, limit int64) bool {
	l.b.counting.take(1)
	defer l.b.counting.give(1)
	return compress.Exceeds(enc, src, limit)
}

// size is compress.Size in turn.
func (l *lease) size(enc compress.Encoding, src []byte, limit int64) (int64, error) {
	l.b.counting.take(1)
	defer l.b.counting.give(1)
	return compress.Size(enc, src, limit)
}

func (l *lease) end() {
	l.rest()
	l.b.free.Add(l.held)
	l.held = 0
}
