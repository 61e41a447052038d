// Package instrument is the one table of the product's metric instruments and
// the recorder that turns events into measurements on them. It uses the
// OpenTelemetry metric API only, so that any reader can aggregate them.
//
// There are two scopes. [MeterScope] holds what events record: its totals are
// checkpointed and survive a restart. [ProcessScope] holds what belongs to the
// life of one process (the doors, the sinks, CPU and memory) and is never
// restored.
//
// Values that a caller controls are bounded here, see [Options]; what is folded
// is counted on treq.pipeline.folded. The rules are docs/semantics.md, section 5.
package instrument
