//go:build !linux

package understand

// inHugePages asks for large pages where a system is known to give them.
func inHugePages([]uint64) {}
