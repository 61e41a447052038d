// Package export forwards the traces of the journal to other backends, called
// sinks: LangSmith, or anything that takes OTLP over HTTP.
//
// Each [Sink] is a journal cursor of its own and nothing more: no queue in
// memory, no second log. A sink that is down stands still at its position and
// holds nothing but the batch it could not deliver, while the other sinks and
// the rest of the process do not notice. Delivery is at least once: after a
// crash a sink sends again what it sent since its position was last written.
//
// What cannot be delivered is never dropped in silence. A batch that the sink
// refuses is halved until the one span at fault is known, which goes to the
// sink's dead-letter file with the reason. For each sink, at every moment and
// over restarts,
//
//	admitted = sent + waiting + dead-lettered + expired + sampled out
//
// in spans. The rules are in docs/architecture.md, section 2.
package export
