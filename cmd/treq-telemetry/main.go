// Command treq-telemetry receives the telemetry of RAG chat services, keeps its
// numbers, and forwards its traces. With no argument it serves.
package main

import (
	"context"
	"os"

	"treq/server"
)

func main() {
	server.GuardDefaultClient()
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
