// Command bench measures the whole job of the built product: it receives spans
// over OTLP, understands, counts and journals them with fsync, and forwards them
// to a sink. It starts the product as a process of its own, loads it through a
// few connections that each wait for their answer, waits until everything is
// counted and forwarded, and reads from /proc what that took.
//
//	go run ./bench                                  # the table that CHANGELOG quotes
//	go run ./bench -transport grpc -content 1536 -batch 512
//	go run ./bench -help
//
// The main figure is spans per CPU second of the server, the drain included: it
// does not depend on what the generator and the sink cost on the same machine.
// Differences under a fifth say nothing on a machine that does other work.
package main
