package journal

import "time"

// Position is the place of a record in the journal: strictly increasing with
// admission, and the difference of two is about the bytes between them. The zero
// Position is before every record.
type Position uint64

// Kind is what a record's body is. The numbers are on disk.
type Kind uint8

// The kinds of record.
const (
	Traces  Kind = 1 // an ExportTraceServiceRequest
	Metrics Kind = 2 // an ExportMetricsServiceRequest
	Logs    Kind = 3 // an ExportLogsServiceRequest
	// Posts is an ExportLogsServiceRequest that the JSON API made of one post.
	Posts Kind = 4
)

// Encoding is how a record's body is compressed. The numbers are on disk.
type Encoding uint8

// The encodings.
const (
	Identity Encoding = 0
	Gzip     Encoding = 1 // one or more members
	Zstd     Encoding = 2 // one or more frames
)

// Entry is what is appended.
type Entry struct {
	Kind     Kind
	Encoding Encoding
	// Door names where it came in: "http", "grpc", "api", at most 32 bytes.
	Door string
	// Items is how many spans, data points or log records the body holds.
	Items uint32
	// Hash makes an equal Hash within the horizon a duplicate; zero: never one.
	Hash [16]byte
	// Check is compared by callers when a duplicate is found (the parameters behind an idempotency key).
	Check uint64
	// Project and Tenant are what a sink needs to route the body; "" if not told.
	Project, Tenant string
	// Body is the payload as it goes to disk. Append does not keep it after it returns.
	Body []byte
	// Decoded is Body decompressed; nil when Encoding is Identity. It is offered
	// to readers at the tail so that they need not decompress again.
	Decoded []byte
}

// Receipt is the answer to an append.
type Receipt struct {
	// Position is the record's; for a duplicate the original's.
	Position Position
	// End is the position after the record: a reader whose position is at least End has passed it.
	End Position
	// Duplicate tells that an entry of equal hash was admitted before, and nothing was stored.
	Duplicate bool
	// Check is the original's for a duplicate.
	Check uint64
}

// Record is what a reader gets. It is valid until Release.
type Record struct {
	Position Position
	End      Position // where the next record may start
	Kind     Kind
	Encoding Encoding
	Door     string
	Items    uint32
	Hash     [16]byte
	Check    uint64
	Project  string
	Tenant   string
	// Admitted is when it was appended, by this process's clock, never decreasing
	// from record to record.
	Admitted time.Time
	// Body is the payload as on disk.
	Body []byte

	decoded []byte
	release func()
}
