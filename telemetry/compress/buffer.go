package compress

import (
	"math/bits"
	"sync/atomic"
)

// Sizes are powers of two and three steps between each and the next, so that a
// buffer is at most a quarter larger than what was asked for.
const (
	smallestPower = 12 // 4 KiB
	largestPower  = 24 // 16 MiB
	stepBits      = 2
	steps         = 1 << stepBits
)

var buffers [(largestPower-smallestPower)*steps + 1]shelf

// classOf gives the smallest class of at least size bytes, and its size; -1 where
// there is none.
func classOf(size int) (class, room int) {
	if size <= 1<<smallestPower {
		return 0, 1 << smallestPower
	}
	power := bits.Len(uint(size-1)) - 1
	step := 1 << (power - stepBits)
	above := (size - 1<<power + step - 1) / step // 1 to steps
	class = (power-smallestPower)*steps + above
	if class >= len(buffers) {
		return -1, size
	}
	return class, 1<<power + above*step
}

// Pooled is the size in bytes up to which buffers are used again. A larger one is made
// for its one use and given back to the operating system with its last owner, and it
// takes only the memory that was written to, so that more room than needed costs nothing.
const Pooled = 1 << largestPower

// Buffer is a slice of bytes that several owners may share. B may be
// resliced and replaced by its first owner until it is shared; then it is read only.
//
// Buffers of up to Pooled bytes are pooled: the pool keeps them by size class and gives
// back to the garbage collector what stays unused; see shelf. Larger ones lie outside
// the heap where the system offers that: one that is not released stays for ever.
type Buffer struct {
	B []byte

	refs    atomic.Int32
	class   int8 // -1: not pooled
	outside bool // whole is not the garbage collector's
	whole   []byte
}

// NewBuffer gives an empty buffer with room for at least size bytes and one owner.
func NewBuffer(size int) *Buffer {
	class, room := classOf(size)
	if class < 0 {
		b := newGiant(room)
		b.refs.Store(1)
		return b
	}
	b := buffers[class].take()
	if b == nil {
		b = &Buffer{whole: make([]byte, 0, room), class: int8(class)}
	}
	return b.first()
}

// FreeBuffer gives what NewBuffer does where a buffer of that size lies in the pool, so
// that it takes no more memory than there is taken already; nil where none does.
func FreeBuffer(size int) *Buffer {
	class, _ := classOf(size)
	if class < 0 {
		return nil
	}
	b := buffers[class].take()
	if b == nil {
		return nil
	}
	return b.first()
}

// first gives b to its first owner.
func (b *Buffer) first() *Buffer {
	b.B = b.whole
	b.refs.Store(1)
	return b
}

// Retain adds an owner.
func (b *Buffer) Retain() { b.refs.Add(1) }

// Release takes an owner away; the last one gives the bytes back, after which nobody
// may touch them. One Release too many panics, since it means that somebody's bytes are
// about to be overwritten.
func (b *Buffer) Release() {
	switch refs := b.refs.Add(-1); {
	case refs > 0:
		return
	case refs < 0:
		panic("compress: buffer released more often than retained")
	}
	b.B = nil
	if b.class >= 0 {
		buffers[b.class].put(b)
		return
	}
	if b.outside {
		unmap(b.whole)
	}
	b.whole = nil
}
