// Command treq-telemetry receives the telemetry of RAG chat services, keeps its
// numbers, and forwards its traces. With no argument it serves.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"treq/server"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// What lives long is tables of fixed bounds, and little garbage is made: a fifth
		// of the usual headroom costs two hundredths of the time, and saves half the memory.
		debug.SetGCPercent(20)
	}
	server.GuardDefaultClient()
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
