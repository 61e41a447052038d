// Package treqconnector is a Collector connector from traces to metrics. It reads
// GenAI spans of every dialect that Treq Telemetry knows as chats, model calls,
// searches and tool calls, counts each once, prices what calls used, and emits the
// product's own table of instruments, so that any number of Collectors measure
// what one treq-telemetry would.
//
// The meaning is that of the product's packages; nothing of it is written here.
// What a Collector cannot do stands in README.md.
package treqconnector
