package journal

import (
	"encoding/binary"
	"runtime"
)

// AwaitSpare waits until the writer has done all that the last batch gave it to do
// and no spare is being made, and tells whether one is ready.
func AwaitSpare(j *Journal) bool {
	select {
	case j.sealing <- ^Position(0): // no segment's; it is taken between batches only
	case <-j.stopping:
	}
	for {
		j.mu.Lock()
		making, ready := j.spare.making, j.spare.file != nil
		j.mu.Unlock()
		if !making {
			return ready
		}
		runtime.Gosched()
	}
}

// SpareName is the file of a spare.
const SpareName = spareName

// RewriteFrame makes a frame one of another position and salt.
func RewriteFrame(frame []byte, at Position, salt uint64) {
	h, ok := parseHead(frame, Position(binary.LittleEndian.Uint64(frame[16:])), 0)
	if !ok {
		panic("no frame")
	}
	h.position, h.salt = at, salt
	copy(frame, h.append(nil))
}
