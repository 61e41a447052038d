// Package otlp reads and writes the OpenTelemetry protocol's export requests as
// bytes, without building objects of them.
//
// A [Scanner] walks an encoded request in place and tells a visitor what it
// finds; content is skipped by its length. [CheckTraces], [CheckLogs] and
// [CheckMetrics] validate a request at the door, [CutTraces] removes spans whose
// ids are unusable, [TracesFromJSON] and its siblings turn OTLP/JSON into the same
// bytes, and the Append functions build requests and responses.
//
// Export requests have one repeated field at the top, so that encoded requests
// concatenate: a batch is its requests' bytes, one after the other.
//
// # What is accepted
//
// The messages are those of opentelemetry-proto 1.11. A request is accepted if
// the Collector's pdata accepts it, with these differences:
//
//   - Groups are refused, also in unknown fields, and so are field numbers above 2^29-1.
//   - An AnyValue nested deeper than [MaxDepth] is refused as too large.
//   - A span with an id of wrong length (its own, its parent's, a link's) is
//     counted as bad, to be cut, where pdata refuses the whole request. Anywhere
//     else an id of wrong length is refused.
//
// As pdata does, known fields with the wrong wire type are refused, unknown fields
// are skipped, text is not required to be UTF-8, and of several values of one
// AnyValue the last counts. Repeated message fields merge as protobuf says. The
// deprecated field 1000 of the resource level (instrumentation_library_spans and its
// siblings) is read where the scopes are missing.
//
// The rules for OTLP/JSON are at [TracesFromJSON].
package otlp

// MaxDepth is how deep AnyValues may nest: a plain attribute value has depth 1,
// the elements of an array in it depth 2.
const MaxDepth = 64
