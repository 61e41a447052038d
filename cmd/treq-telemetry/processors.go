package main

import (
	"os"
	"runtime"
)

// spareProcessors is how many more goroutines may run at once than there are CPUs.
// While every processor of Go's scheduler has work, what arrives on a connection is
// looked for once in 10 ms; with one to spare a thread waits for it in the kernel,
// which lets a thread that slept go first. So a GET, or a small request, does not
// wait behind the large ones that the others read.
const spareProcessors = 2

// spare makes them, unless GOMAXPROCS says how many there are to be, and gives what
// takes them back. From then on the number no longer follows the limits of a container
// that are changed while it runs.
func spare() (back func()) {
	if os.Getenv("GOMAXPROCS") != "" {
		return func() {}
	}
	before := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(before + spareProcessors)
	return func() { runtime.GOMAXPROCS(before) }
}
