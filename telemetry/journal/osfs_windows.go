package journal

import (
	"os"

	"golang.org/x/sys/windows"
)

// errHeld says that another open file holds the lock.
const errHeld = windows.ERROR_LOCK_VIOLATION

// lockFile locks a byte far behind the number in the file, which others may so read.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{OffsetHigh: 1})
}

func space(dir string) (total, free int64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, 0, err
	}
	var avail, size, all uint64
	if err := windows.GetDiskFreeSpaceEx(path, &avail, &size, &all); err != nil {
		return 0, 0, &os.PathError{Op: "GetDiskFreeSpaceEx", Path: dir, Err: err}
	}
	return int64(size), int64(avail), nil
}

// syncDir does nothing: NTFS journals names itself.
func syncDir(string) error { return nil }
