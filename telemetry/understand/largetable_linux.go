package understand

import (
	"runtime"
	"syscall"
	"unsafe"
)

// hugePage is the size of a large page on the architectures that have but one.
const hugePage = 2 << 20

// largeTable makes a zeroed table for a horizon. A large one lies outside the heap: the
// garbage collector leaves headroom in proportion to what lives on it, half as much
// again for a table that it has nothing to look for in, and what a table outgrew would
// stay until the next collection.
//
// It asks for large pages: a table is looked into at random, and with small ones each
// look also misses the processor's table of pages, which under virtualisation costs
// more than the miss itself. That is a hint; nothing is lost where it is not followed.
func (h *Horizon) largeTable(slots int) []uint64 {
	size := 8 * slots
	if size < hugePage {
		return make([]uint64, slots)
	}
	raw, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]uint64, slots)
	}
	if size >= 2*hugePage {
		_ = syscall.Madvise(raw, syscall.MADV_HUGEPAGE)
	}
	h.mapped = raw
	h.outside = runtime.AddCleanup(h, func(raw []byte) { _ = syscall.Munmap(raw) }, raw)
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(raw))), slots)
}

// emptied gives back the pages of a table before a slot, from a slot on that was given
// before; it gives the slot to go on from.
func emptied(mapped []byte, from, to int) int {
	if mapped == nil || 8*(to-from) < hugePage {
		return from
	}
	_ = syscall.Madvise(mapped[8*from:8*to], syscall.MADV_DONTNEED)
	return to
}

// unmap gives a table back that was outgrown.
func unmap(mapped []byte) {
	if mapped != nil {
		_ = syscall.Munmap(mapped)
	}
}
