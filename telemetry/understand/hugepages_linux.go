package understand

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of a large page on the architectures that have but one.
const hugePage = 2 << 20

// inHugePages asks for large pages for a table that was just made and is looked
// into at random: with small ones each look also misses the processor's table of
// pages, which under virtualisation costs more than the miss itself. It is a
// hint, so that nothing is lost where it is not followed.
func inHugePages(table []uint64) {
	size := 8 * len(table)
	if size < 2*hugePage {
		return
	}
	// Whole pages inside the table: its neighbours on the heap are not touched.
	head := -int(uintptr(unsafe.Pointer(unsafe.SliceData(table)))) & (hugePage - 1)
	whole := (size - head) &^ (hugePage - 1)
	_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&table[head/8])), whole), syscall.MADV_HUGEPAGE)
}
