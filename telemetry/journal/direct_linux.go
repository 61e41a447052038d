package journal

import (
	"errors"
	"os"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	// directFrom is how large a write has to be for the way past the page cache to pay:
	// below, the parts of blocks at both ends and the wait cost as much as the copy.
	directFrom = 256 << 10
	// directMost is how large one piece may be: what is larger does not stay in the ring,
	// so that its readers find it in the page cache instead of waiting for the device
	// with the memory for it in their hands.
	directMost = 8 << 20
	// directBlock is what every file system that offers direct writes takes as a unit.
	directBlock = 4 << 10
	// directWindow is how much is written directly with one call.
	directWindow = 1 << 20
)

// direct writes past the page cache. A log is written once and read at its tail,
// which readers find in the ring: pages of the cache would be taken, filled, written
// and given back for nobody, which costs two to four times the bare transfer. Where
// a file system does not offer it, it stays off. The zero value is ready; it is used
// by one goroutine.
type direct struct {
	file *os.File
	off  bool

	prepared int64  // offset before which the device has all blocks
	last     []byte // what stands from the start of a block to lastAt
	lastAt   int64
}

// directRefused is set once a file system took a file and then not its data.
var directRefused atomic.Bool

// window is memory that direct writes come from, while none of them uses it, and
// windowMade whether there is one: a process writes one journal, of one goroutine.
var (
	window     atomic.Pointer[[]byte]
	windowMade atomic.Bool
)

// takeWindow gives memory that direct writes may come from.
func takeWindow() *[]byte {
	if w := freeWindow(); w != nil {
		return w
	}
	b := alignedBytes(directWindow)
	return &b
}

// freeWindow gives the same, or nil where another write has it, which a file beside
// the journal's gives way to.
func freeWindow() *[]byte {
	if w := window.Swap(nil); w != nil || windowMade.Swap(true) {
		return w
	}
	b := alignedBytes(directWindow)
	return &b
}

// open opens the file a second time, by the descriptor, since only that cannot mean
// another file.
func (d *direct) open(f *os.File) bool {
	if d.file == nil && !d.off {
		var err error
		d.file, err = os.OpenFile("/proc/self/fd/"+strconv.Itoa(int(f.Fd())), os.O_WRONLY|unix.O_DIRECT, 0)
		d.off = err != nil
	}
	return !d.off && !directRefused.Load()
}

func (d *direct) close() error {
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}

// writeDirect writes the whole blocks of a large write directly, and what is before
// the first through the page cache. It gives what is left to write.
func (f *osFile) writeDirect(pending [][]byte, offset int64) ([][]byte, int64, error) {
	var size int64
	for _, b := range pending {
		size += int64(len(b))
		if len(b) > directMost {
			return pending, offset, nil
		}
	}
	if size < directFrom || !f.direct.open(f.File) {
		return pending, offset, nil
	}
	from := freeWindow()
	if from == nil {
		return pending, offset, nil
	}
	defer window.Store(from)
	if before := -offset & (directBlock - 1); before > 0 {
		n, rest := gather((*from)[:before], pending)
		pending = rest
		if err := f.writeCached([][]byte{(*from)[:n]}, offset); err != nil {
			return nil, 0, err
		}
		offset, size = offset+before, size-before
	}
	for size >= directBlock {
		part := (*from)[:min(size&^(directBlock-1), directWindow)]
		_, pending = gather(part, pending)
		if n, err := f.direct.file.WriteAt(part, offset); err != nil {
			// The page cache may take what the direct way does not; if it does not either,
			// that is what is wrong.
			if cached := f.writeCached([][]byte{part[n:]}, offset+int64(n)); cached != nil {
				return nil, 0, errors.Join(cached, err)
			}
			directRefused.Store(true)
			return pending, offset + int64(len(part)), nil
		}
		offset, size = offset+int64(len(part)), size-int64(len(part))
	}
	return pending, offset, nil
}

// gather fills dst from pending and gives how much that was, and what is left.
func gather(dst []byte, pending [][]byte) (int, [][]byte) {
	n := 0
	for n < len(dst) && len(pending) > 0 {
		m := copy(dst[n:], pending[0])
		n += m
		if pending[0] = pending[0][m:]; len(pending[0]) == 0 {
			pending = pending[1:]
		}
	}
	return n, pending
}
