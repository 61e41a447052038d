//go:build unix

package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// errHeld says that another open file holds the lock.
const errHeld = unix.EWOULDBLOCK

// lockFile takes flock, which the kernel lets go when the process dies.
func lockFile(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EINTR {
			return err
		}
	}
}

// openRemovable opens a file that may lose its name while it is open.
func openRemovable(name string, flag int) (*os.File, error) {
	return os.OpenFile(name, flag, 0o600)
}

func space(dir string) (total, free int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(s.Blocks) * int64(s.Bsize), int64(s.Bavail) * int64(s.Bsize), nil
}
