package server

import "golang.org/x/sys/unix"

// volatileStorage says on what short-lived kind of file system dir lies, "" if
// on none that is known.
func volatileStorage(dir string) string {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return ""
	}
	switch int64(st.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return "memory"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "a container's own layer"
	}
	return ""
}
