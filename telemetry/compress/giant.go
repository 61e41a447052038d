package compress

// newGiant makes a buffer that is not pooled. Requests of many MiB are rare, and the
// garbage collector would let several of them gather before it looked: their number at
// the same time is what they should cost, not how many there were since it last ran.
func newGiant(room int) *Buffer {
	b := &Buffer{class: -1}
	if b.whole = mapped(room); b.whole != nil {
		b.outside = true
	} else {
		b.whole = make([]byte, 0, room)
	}
	b.B = b.whole[:0:room]
	return b
}
