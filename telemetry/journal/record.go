package journal

import (
	"sync"
	"sync/atomic"
	"time"

	"treq/telemetry"
	"treq/telemetry/compress"
)

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
	// Runs is a request of LangSmith's own run protocol, in the bytes it came in: a
	// multipart body, or a JSON object of posts and patches. Items counts those.
	Runs Kind = 5
	// Derived is an ExportTraceServiceRequest that was made of Runs, of which
	// Entry.Check names the last: the position of the record that completed it.
	Derived Kind = 6
)

// Spans tells whether a body of this kind is an ExportTraceServiceRequest, and
// Items the number of its spans.
func (k Kind) Spans() bool { return k == Traces || k == Derived }

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
	// Check is compared by callers when a duplicate is found (the parameters behind an idempotency key);
	// of Derived it is the position of the source.
	Check uint64
	// Project and Tenant are what a sink needs to route the body; "" if not told.
	Project, Tenant string
	// Body is the payload as it goes to disk. Append does not keep it after it
	// returns, unless Release is set.
	Body []byte
	// Decoded is Body decompressed; nil when Encoding is Identity. It is offered
	// to readers at the tail so that they need not decompress again.
	Decoded []byte
	// Release, when set, hands Body and Decoded over: nobody may change them from
	// the call of Append on, readers share them without a copy, and Release is called
	// exactly once, whatever Append answers, when the last reader is done. It must
	// not block. When nil, Append copies what readers at the tail may want.
	Release func()
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

	seq         uint64 // number of records before it
	itemsBefore uint64
	decodedLen  uint32 // 0: not told
	maxDecoded  int64

	cost    int64 // what the ring that holds it counts for it, guarded by Journal.mu
	refs    atomic.Int32
	release func()
	// journal is set for a record that its readers share; see shared.
	journal *Journal
	// decoded was given at the append, or made by the first Data, which unpacked then holds.
	decoding sync.Mutex
	decoded  []byte
	unpacked *compress.Buffer
}

// Data gives the body decompressed, at most the larger of Options.MaxDecoded and
// what the append told. The bytes are shared by all readers, must not be changed,
// and are valid until Release. It decompresses once, and is safe for concurrent
// use. Errors are of kind Invalid, TooLarge or Unsupported.
func (r *Record) Data() ([]byte, error) {
	if r.Encoding == Identity {
		return r.Body, nil
	}
	r.decoding.Lock()
	defer r.decoding.Unlock()
	if r.decoded != nil {
		return r.decoded, nil
	}
	enc, err := r.Encoding.coding()
	if err != nil {
		return nil, err
	}
	size := int(r.decodedLen)
	if size == 0 {
		size = 4 * len(r.Body)
	}
	buf := compress.NewBuffer(size)
	out, err := compress.Decode(buf.B, enc, r.Body, max(r.maxDecoded, int64(r.decodedLen)))
	if err != nil {
		buf.Release()
		return nil, err
	}
	buf.B, r.unpacked = out, buf
	r.decoded = out
	if r.decoded == nil {
		r.decoded = []byte{}
	}
	return r.decoded, nil
}

// Retain adds an owner, who has to Release once more.
func (r *Record) Retain() { r.refs.Add(1) }

// Release gives the record back. After it neither the record nor its bytes may be
// used by this owner. Every record that a cursor gave has one owner to begin with.
func (r *Record) Release() {
	switch refs := r.refs.Add(-1); {
	case refs > 0:
		return
	case refs < 0:
		panic("journal: record released more often than retained")
	}
	if r.journal != nil {
		r.journal.unshare(r)
	}
	if r.unpacked != nil {
		r.unpacked.Release()
	}
	if r.release != nil {
		r.release()
	}
}

func (e Encoding) coding() (compress.Encoding, error) {
	switch e {
	case Identity:
		return compress.Identity, nil
	case Gzip:
		return compress.Gzip, nil
	case Zstd:
		return compress.Zstd, nil
	}
	return 0, telemetry.Errorf(telemetry.Unsupported, "record has unknown encoding %d", e)
}
