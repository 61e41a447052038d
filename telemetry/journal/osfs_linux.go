package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// maxVec is IOV_MAX.
const maxVec = 1024

// WriteVec implements File.
func (f *osFile) WriteVec(bufs [][]byte, offset int64) error {
	pending := append(make([][]byte, 0, len(bufs)), bufs...)
	for len(pending) > 0 {
		n, err := unix.Pwritev(int(f.Fd()), pending[:min(len(pending), maxVec)], offset)
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
