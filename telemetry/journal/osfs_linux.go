package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	// maxVec is IOV_MAX.
	maxVec = 1024
	// maxWrite bounds one call. The kernel makes the pages of a file as large as the
	// write that fills them, and huge ones cost six times as much for each byte as
	// those that it has at hand.
	maxWrite = 512 << 10
)

// WriteVec implements File.
func (f *osFile) WriteVec(bufs [][]byte, offset int64) error {
	pending := append(make([][]byte, 0, len(bufs)), bufs...)
	pending, offset, err := f.writeOver(pending, offset)
	if err != nil {
		return err
	}
	if pending, offset, err = f.writeDirect(pending, offset); err != nil {
		return err
	}
	return f.writeCached(pending, offset)
}

// writeCached writes through the page cache. It changes pending.
func (f *osFile) writeCached(pending [][]byte, offset int64) error {
	for len(pending) > 0 {
		call, whole := vecOf(pending)
		n, err := unix.Pwritev(int(f.Fd()), call, offset)
		if len(call) > 0 {
			pending[len(call)-1] = whole
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "pwritev", Path: f.Name(), Err: err}
		}
		offset += int64(n)
		for len(pending) > 0 && n >= len(pending[0]) {
			n -= len(pending[0])
			pending = pending[1:]
		}
		if len(pending) > 0 {
			pending[0] = pending[0][n:]
		}
	}
	return nil
}

// vecOf gives what of pending one call writes, in place: the last of it may be cut,
// and is given whole to be put back.
func vecOf(pending [][]byte) (call [][]byte, whole []byte) {
	room := maxWrite
	for i := range min(len(pending), maxVec) {
		whole = pending[i]
		if len(whole) >= room {
			pending[i] = whole[:room]
			return pending[:i+1], whole
		}
		room -= len(whole)
	}
	return pending[:min(len(pending), maxVec)], whole
}

// Sync implements File. The times of the file need not be durable; its size is.
func (f *osFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

// Forget implements forgetter.
func (f *osFile) Forget(from, to int64) error {
	if err := unix.Fadvise(int(f.Fd()), from, to-from, unix.FADV_DONTNEED); err != nil {
		return &os.PathError{Op: "fadvise", Path: f.Name(), Err: err}
	}
	return nil
}
