package compress

import "golang.org/x/sys/unix"

// mapped gives zeroed memory outside the heap with room for at least n bytes, nil where
// there is none. Its pages are taken when they are first written to.
func mapped(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return b
}

// unmap gives back what mapped gave. It fails only for what was not mapped.
func unmap(b []byte) { _ = unix.Munmap(b) }
