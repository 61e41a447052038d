// Package telemetry is the vocabulary of the product: the events that a RAG
// chat produces, the places they are recorded, and the few kinds of error that
// cross package borders. It does no I/O and imports the standard library only.
//
// The flow that the packages below it form, each importing only what lies
// earlier:
//
//	otlp ─▶ semconv ─▶ understand ─▶ instrument ─▶ snapshot ─┐
//	journal ───────────────────────────────────────────────┴─▶ meter
//	journal ─▶ export
//
// What an event means is specified in docs/semantics.md, section 1.
package telemetry
