package main

import (
	"bufio"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetStart gives back the pages of the program that only its start has run: most of
// it, since the kernel maps sixteen pages for one that is touched, and the set-up of
// libraries touches all. What serving needs comes back from the page cache with the
// first use. Only mappings of the program's own file that are read and never written
// are given back; where something fails, memory is not saved.
func forgetStart() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer func() { _ = maps.Close() }() // read only
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if from, to, ok := programPages(lines.Text(), program); ok {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
		}
	}
}

// programPages reads a line of /proc/self/maps: the addresses of a mapping of a program
// that nothing can have been written to.
func programPages(line, program string) (from, to uintptr, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || strings.Join(fields[5:], " ") != program || fields[1] != "r-xp" && fields[1] != "r--p" {
		return 0, 0, false
	}
	low, high, found := strings.Cut(fields[0], "-")
	from, ok1 := address(low)
	to, ok2 := address(high)
	return from, to, found && ok1 && ok2 && from < to
}

// address reads a hexadecimal number.
func address(text string) (n uintptr, ok bool) {
	for _, digit := range []byte(text) {
		at := strings.IndexByte("0123456789abcdef", digit)
		if at < 0 || n >= 1<<59 {
			return 0, false
		}
		n = n<<4 | uintptr(at)
	}
	return n, text != ""
}
