package journal

import (
	"io"
	"strconv"
)

// FS is the file system as the journal uses it, so that tests can break it at
// every call. Paths are those of the operating system. A missing file is an error
// that matches fs.ErrNotExist, a full disk one that matches syscall.ENOSPC.
// Implementations are safe for concurrent use.
type FS interface {
	// MkdirAll makes a directory that only its owner may enter, and its parents.
	MkdirAll(dir string) error
	// Create opens a new or emptied file, which only its owner may read, for
	// reading and writing.
	Create(name string) (File, error)
	// Open opens an existing file for reading; Sync works on it too.
	Open(name string) (File, error)
	Remove(name string) error
	// Truncate makes an existing file shorter.
	Truncate(name string, size int64) error
	Rename(from, to string) error
	// ReadDir gives the names in a directory, sorted.
	ReadDir(dir string) ([]string, error)
	// SyncDir makes the names in a directory durable.
	SyncDir(dir string) error
	// Space gives the size and the bytes that this process may still write of the
	// file system that holds dir.
	Space(dir string) (total, free int64, err error)
	// Lock makes this process the only one that holds name, creating it, until
	// Close. It does not wait: another holder is a *LockedError.
	Lock(name string) (io.Closer, error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.Closer
	// WriteVec writes bufs one after the other at offset, all or an error.
	WriteVec(bufs [][]byte, offset int64) error
	Truncate(size int64) error
	// Sync makes the content, not the name, durable.
	Sync() error
	Size() (int64, error)
}

// LockedError says that another process holds a lock.
type LockedError struct {
	// PID is the holder's, 0 if it did not tell.
	PID int
}

// Error names the holder.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return "locked by another process"
	}
	return "locked by process " + strconv.Itoa(e.PID)
}
