package journal

// coolStep is how much at least is forgotten with one call.
const coolStep = 4 << 20

// forgetter is a File that can be told what nobody will read soon.
type forgetter interface {
	// Forget lets the operating system give away its copy in memory of what stands
	// between two offsets. What is there stays, and can be read.
	Forget(from, to int64) error
}

// cooling follows one file: what is durable and behind all readers is forgotten. A
// log is written once and read at its tail, so that its older pages would only take
// the place of what others need, and new ones cost more than used ones.
type cooling struct {
	base      Position
	forgotten int64 // offset
}

// until forgets what of file is behind every cursor, up to the offset before which
// all is durable.
func (c *cooling) until(j *Journal, file File, durable int64) {
	f, ok := file.(forgetter)
	if !ok || durable-c.forgotten < coolStep {
		return
	}
	to := c.base + Position(durable)
	j.mu.Lock()
	for _, reader := range j.cursors {
		if !reader.closed {
			to = min(to, reader.pos)
		}
	}
	j.mu.Unlock()
	if to < c.base+Position(c.forgotten)+coolStep {
		return
	}
	// A page that stays is no fault.
	_ = f.Forget(c.forgotten, int64(to-c.base))
	c.forgotten = int64(to - c.base)
}
