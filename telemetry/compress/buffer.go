package compress

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	smallestClass = 12 // 4 KiB
	largestClass  = 24 // 16 MiB; larger buffers are left to the garbage collector
)

var buffers [largestClass - smallestClass + 1]sync.Pool

// Buffer is a pooled slice of bytes that several owners may share. B may be
// resliced and replaced by its first owner until it is shared; then it is read only.
//
// The pool keeps buffers by size class and gives back to the garbage collector
// what stays unused.
type Buffer struct {
	B []byte

	refs  atomic.Int32
	class int8 // -1: not pooled
	whole []byte
}

// NewBuffer gives an empty buffer with room for at least size bytes and one owner.
func NewBuffer(size int) *Buffer {
	class := max(bits.Len(uint(max(size, 1)-1)), smallestClass)
	if class > largestClass {
		b := &Buffer{B: make([]byte, 0, size), class: -1}
		b.refs.Store(1)
		return b
	}
	b, _ := buffers[class-smallestClass].Get().(*Buffer)
	if b == nil {
		b = &Buffer{whole: make([]byte, 0, 1<<class), class: int8(class - smallestClass)}
	}
	b.B = b.whole
	b.refs.Store(1)
	return b
}

// Retain adds an owner.
func (b *Buffer) Retain() { b.refs.Add(1) }

// Release takes an owner away; the last one gives the bytes back to the pool,
// after which nobody may touch them. One Release too many panics, since it means
// that somebody's bytes are about to be overwritten.
func (b *Buffer) Release() {
	switch refs := b.refs.Add(-1); {
	case refs > 0:
		return
	case refs < 0:
		panic("compress: buffer released more often than retained")
	}
	b.B = nil
	if b.class >= 0 {
		buffers[b.class].Put(b)
	}
}
