// Package snapshot reads the instruments: one reader collects what was measured,
// adds the totals a checkpoint restored, and serves the documented JSON, the
// Prometheus exposition, history and alerts from that one collection.
//
// See docs/architecture.md, section 4, and docs/semantics.md, section 6.
package snapshot
