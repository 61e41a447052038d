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
		// What lives long is tables of fixed bounds, and little garbage is made: half
		// the usual headroom costs no measurable time and a third less memory.
		debug.SetGCPercent(50)
	}
	server.GuardDefaultClient()
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
