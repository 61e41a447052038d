package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"treq/telemetry/durable"
)

// OS gives the operating system's file system.
func OS() FS { return osFS{} }

type osFS struct{}

// MkdirAll implements FS.
func (osFS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

// Create implements FS.
func (osFS) Create(name string) (File, error) {
	return openFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements FS.
func (osFS) Open(name string) (File, error) { return openFile(name, os.O_RDONLY) }

func openFile(name string, flag int) (File, error) {
	f, err := openRemovable(name, flag)
	if err != nil {
		return nil, err
	}
	return &osFile{File: f}, nil
}

// Remove implements FS.
func (osFS) Remove(name string) error { return os.Remove(name) }

// Truncate implements FS.
func (osFS) Truncate(name string, size int64) error { return os.Truncate(name, size) }

// Rename implements FS.
func (osFS) Rename(from, to string) error { return os.Rename(from, to) }

// ReadDir implements FS.
func (osFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	slices.Sort(names)
	return names, nil
}

// Space implements FS.
func (osFS) Space(dir string) (total, free int64, err error) { return space(dir) }

// SyncDir implements FS.
func (osFS) SyncDir(dir string) error { return durable.SyncDir(dir) }

// Lock implements FS.
func (osFS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		held := errors.Is(err, errHeld)
		if held {
			err = &LockedError{PID: holder(f)}
		}
		return nil, errors.Join(err, f.Close())
	}
	// The number is for people; a disk without room for it is no reason to stay away.
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, nil
}

// holder gives the process that the lock file names, 0 if none.
func holder(f *os.File) int {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return pid
}

type osFile struct {
	*os.File
	direct direct
}

// Close implements File.
func (f *osFile) Close() error { return errors.Join(f.direct.close(), f.File.Close()) }

// Size implements File.
func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
