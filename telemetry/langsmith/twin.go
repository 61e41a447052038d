package langsmith

import (
	"bytes"
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Twin says that a run is sent twice: natively, and by the SDK's own OTLP exporter
// under ids that have nothing in common with the run's. Python's SDK does so in its
// hybrid mode, and tells of it among the metadata.
func (r *Run) Twin() bool {
	if !bytes.Contains(r.extra, []byte("_OTEL_ENABLED")) && !bytes.Contains(r.extra, []byte("_TRACING_MODE")) {
		return false
	}
	metadata := members(members(r.extra)["metadata"])
	says := func(name string) string {
		if v := textOf(metadata["LANGSMITH_"+name]); v != "" {
			return v
		}
		return textOf(metadata["LANGCHAIN_"+name])
	}
	if mode := says("TRACING_MODE"); mode != "" {
		return mode == "hybrid"
	}
	return says("OTEL_ENABLED") == "true" && says("OTEL_ONLY") != "true"
}

// Unmarked says that a run tells nothing of how it was sent: Python's SDK leaves all
// metadata out of a run tree that it is given files for, also in its hybrid mode.
func (r *Run) Unmarked() bool { return hollow(r.extra) }

// Likeness is what a run and its span over OTLP have in common, as a number.
func (r *Run) Likeness() uint64 {
	return Likeness([]byte(r.Service()), []byte(r.Name), []byte(r.kind()), uint64(r.Start))
}

// Likeness gives the same for a span: of its project, name, run type and start in
// Unix nanoseconds. The exporter makes the start of a float, which holds
// microseconds.
func Likeness(project, name, kind []byte, start uint64) uint64 {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 128), (start+500)/1000)
	for _, part := range [...][]byte{project, name, kind} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return xxh3.Hash(b)
}
