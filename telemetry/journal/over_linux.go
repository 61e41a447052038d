package journal

import (
	"errors"
	"io"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// blankBytes is the memory that zeros are written from, maxBlank how often with one
	// call.
	blankBytes = 64 << 10
	maxBlank   = 16
)

// blankZeros gives the zeros that files are blanked with. Nobody writes to them.
var blankZeros = sync.OnceValue(func() []byte { return alignedBytes(blankBytes) })

// overwrites tells whether a file of this file system has its content written over
// where it stands. Others write it anew somewhere else each time, and preparing
// gains nothing.
func overwrites(f *os.File) bool {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return false
	}
	return s.Type == unix.EXT4_SUPER_MAGIC || s.Type == unix.XFS_SUPER_MAGIC
}

// Reserve implements preparer.
func (f *osFile) Reserve(size int64) error {
	if !overwrites(f.File) || !f.direct.open(f.File) {
		return errors.ErrUnsupported
	}
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EOPNOTSUPP {
			return errors.ErrUnsupported
		}
		if err != nil {
			return &os.PathError{Op: "fallocate", Path: f.Name(), Err: err}
		}
		f.direct.prepared = size
		return nil
	}
}

// Blank implements preparer.
func (f *osFile) Blank(from, to int64) error {
	zeros := blankZeros()
	for from < to {
		// The same few zeros many times are one transfer all the same.
		var vec [maxBlank][]byte
		n := 0
		for at := from; at < to && n < len(vec); n++ {
			vec[n] = zeros[:min(to-at, int64(len(zeros)))]
			at += int64(len(vec[n]))
		}
		wrote, err := unix.Pwritev(int(f.direct.file.Fd()), vec[:n], from)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "pwritev", Path: f.Name(), Err: err}
		}
		from += int64(wrote)
	}
	return nil
}

// writeOver writes into what was prepared, past the page cache and in whole blocks:
// what the first of them holds already is written once more, unaltered, and what
// the last has room for are the zeros that were there. It gives what is left to
// write, which is all of it where it does not fit.
func (f *osFile) writeOver(pending [][]byte, offset int64) ([][]byte, int64, error) {
	var size int64
	for _, b := range pending {
		size += int64(len(b))
		if len(b) > directMost {
			return pending, offset, nil
		}
	}
	d := &f.direct
	if offset+size > d.prepared || directRefused.Load() {
		return pending, offset, nil
	}
	from := takeWindow()
	defer window.Store(from)
	before := int(offset & (directBlock - 1))
	if err := f.block((*from)[:before], offset); err != nil {
		return nil, 0, err
	}
	for size > 0 {
		n, rest := gather((*from)[before:], pending)
		pending = rest
		end := before + n
		part := (*from)[:(end+directBlock-1)&^(directBlock-1)]
		clear(part[end:])
		if wrote, err := d.file.WriteAt(part, offset-int64(before)); err != nil {
			// The page cache may take what the direct way does not; if it does not either,
			// that is what is wrong.
			at := min(wrote, end)
			if cached := f.writeCached([][]byte{part[at:end]}, offset-int64(before)+int64(at)); cached != nil {
				return nil, 0, errors.Join(cached, err)
			}
			directRefused.Store(true)
			return pending, offset + int64(n), nil
		}
		offset, size = offset+int64(n), size-int64(n)
		last := int(offset & (directBlock - 1))
		d.last, d.lastAt = append(d.last[:0], part[end-last:end]...), offset
		before = last
		copy(*from, d.last)
	}
	return pending, offset, nil
}

// block fills dst with what stands before offset.
func (f *osFile) block(dst []byte, offset int64) error {
	if f.direct.lastAt == offset && len(f.direct.last) == len(dst) {
		copy(dst, f.direct.last)
		return nil
	}
	if _, err := f.ReadAt(dst, offset-int64(len(dst))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// alignedBytes gives n bytes where direct writes can be from.
func alignedBytes(n int) []byte {
	b := make([]byte, n+directBlock)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (directBlock - 1)
	return b[skip:][:n]
}
