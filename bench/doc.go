// Command bench measures the whole job of the built product, and the same job of
// the OpenTelemetry Collector on the same payloads in the same run.
//
// The job: receive spans over OTLP, make metrics of them, forward all of them to a
// sink. The product journals them too, with fsync before the answer or without.
// The Collector is built by its own builder from bench/collector; memory.yaml
// there keeps both pipelines in memory, durable.yaml has file_storage with fsync.
//
//	make bench                                      # the table of figures, within ten minutes
//	make bench FULL=1                               # every transport, content and batch, and the long run
//	make bench ARGS="-out result.md"
//	make bench ARGS="-transport grpc -content 1536 -batch 512 -servers fsync,collector"
//	make bench ARGS="-collector-proxy PATH"         # with LangChain's langsmith-collector-proxy, built at PATH
//	go run ./bench -help
//
// Every measurement has a process and a directory of its own, on loopback, and
// leaves nothing behind. Rounds go over all loads and servers, so that what else
// the machine does meets them alike; a ratio is the median of the ratios within
// the rounds. The sink counts every span: a run in which one is missing or comes
// twice fails.
//
// The main figure is spans per CPU second of the server, the drain included: it
// does not depend on what the generator and the sink cost on the same machine.
// Differences under a fifth say nothing on a machine that does other work.
package main
