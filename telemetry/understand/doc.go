// Package understand translates scanned spans, in whatever dialect an
// instrumentation speaks, into the domain's events. It is the product's heart
// and does no I/O: an Engine is told requests in journal order, with the time
// each was admitted, and tells a telemetry.Recorder every event exactly once.
//
// It works in three steps, each in a file or a few of its own:
//
//	Reader     what one span says, resolved over dialects      docs/semantics.md, section 2;
//	           of a span like one before, only its figures     (familiar.go)
//	assembly   spans of a trace joined by parent ids, closed    docs/semantics.md, section 3
//	           by journal time
//	settling   what a closed fragment counts for                docs/semantics.md, sections 3 and 4
//
// Nothing here depends on a wall clock or on the order of a map: the same
// requests at the same times give the same events in the same order, so that a
// replay of the journal gives what the live run gave.
package understand
