package capacity

import (
	"math"
	"time"

	"treq/telemetry"
)

// The figures, as docs/performance.md has them: traces with 1.5 KB of content over
// OTLP/HTTP protobuf, acknowledged after fsync, counted and forwarded; the slower of
// the batches that were measured, on the busy machine.
const (
	// Measured is the day.
	Measured = "2026-11-23"
	// Machine is what it was measured on.
	Machine = "2 CPUs (AMD EPYC), linux/amd64, go1.26.8"

	spansPerCPUSecond   = 113_000 // batches of 64; 196,000 in batches of 512
	gatewayPerCPUSecond = 10_300  // the generated gateway with three replicas, batches of 64; 30,300 in batches of 512
	gatewayPerByte      = 8.3     // bytes that its queues write for a byte received; 5.2 in batches of 512
	writtenPerByte      = 1.09    // bytes on disk for a byte received
	residentBytes       = 209e6   // at full load, the larger of the runs
	seriesPerReplica    = 614     // after 200 chats of the demo: one service, four models
	bytesPerSpan        = 1168    // of those payloads, uncompressed
)

// busy is how much of a processor is planned with: the rest takes bursts, a replay,
// and the load of a replica that is away.
const busy = 0.5

// diskBytesPerSecond is what one disk is planned to take in order, of what cloud
// volumes promise without paying for more. It was not measured.
const diskBytesPerSecond = 125e6

// Load is what is asked about.
type Load struct {
	// SpansPerSecond is the peak, 1 to 10 million.
	SpansPerSecond float64
	// BytesPerSpan is the size on the wire, uncompressed; 0 is 1,168: that
	// of the measured payloads, of whose spans some have 1.5 KB of content.
	BytesPerSpan float64
	// Cores is what a replica has; 0 is 4.
	Cores float64
	// Keep is how long the journal keeps; 0 is 24 h.
	Keep time.Duration
}

// Plan is the answer. Bytes are of all replicas together unless said.
type Plan struct {
	Load
	// Replicas and Gateways are processes; GatewayCores is what all gateways need.
	Replicas, Gateways, GatewayCores int
	// Limit is what made the replicas that many.
	Limit string
	// DiskBytes is the journal's, of each replica; MemoryBytes what each needs.
	DiskBytes, MemoryBytes float64
	// BitsPerSecond come in.
	BitsPerSecond float64
	// Series are in the server that adds up.
	Series int
	// Breaks names what breaks first at this order of magnitude.
	Breaks string
}

// The reasons for the number of replicas.
const (
	byCPU   = "processors"
	byDisk  = "writing to disk"
	byLoss  = "one may be away"
	byAlone = "one is enough"
)

// mostSpans is the largest load that is reckoned with.
const mostSpans = 10_000_000

// For plans a load. An error is of kind Invalid.
func For(l Load) (Plan, error) {
	if l.SpansPerSecond < 1 || l.SpansPerSecond > mostSpans || math.IsNaN(l.SpansPerSecond) {
		return Plan{}, telemetry.Errorf(telemetry.Invalid, "want 1 to 10,000,000 spans a second")
	}
	if l.BytesPerSpan == 0 {
		l.BytesPerSpan = bytesPerSpan
	}
	if l.Cores == 0 {
		l.Cores = 4
	}
	if l.Keep == 0 {
		l.Keep = 24 * time.Hour
	}
	if l.BytesPerSpan < 1 || l.Cores < 0.1 || l.Keep < 0 || math.IsNaN(l.BytesPerSpan+l.Cores) || math.IsInf(l.BytesPerSpan+l.Cores, 0) {
		return Plan{}, telemetry.Errorf(telemetry.Invalid, "bytes per span, cores and keep are above 0")
	}
	p := Plan{Load: l, BitsPerSecond: 8 * l.SpansPerSecond * l.BytesPerSpan}
	written := l.SpansPerSecond * l.BytesPerSpan * writtenPerByte
	// Bytes cost as spans do: a span twice as large as the measured takes twice as long.
	cost := math.Max(1, l.BytesPerSpan/bytesPerSpan)
	p.Replicas, p.Limit = atLeast(l.SpansPerSecond*cost/(spansPerCPUSecond*l.Cores*busy)), byCPU
	if n := atLeast(written / diskBytesPerSecond); n > p.Replicas {
		p.Replicas, p.Limit = n, byDisk
	}
	switch {
	case l.SpansPerSecond < 10_000:
		if p.Replicas == 1 {
			p.Limit = byAlone
		}
	case p.Replicas == 1:
		p.Replicas, p.Limit = 2, byLoss
	}
	if p.Replicas > 1 {
		p.GatewayCores = atLeast(l.SpansPerSecond * cost / (gatewayPerCPUSecond * busy))
		p.Gateways = max(2, atLeast(float64(p.GatewayCores)/l.Cores), atLeast(l.SpansPerSecond*l.BytesPerSpan*gatewayPerByte/diskBytesPerSecond))
	}
	p.DiskBytes = written * l.Keep.Seconds() / float64(p.Replicas)
	p.MemoryBytes = 2 * residentBytes
	p.Series = p.Replicas * seriesPerReplica
	p.Breaks = breaks(l.SpansPerSecond)
	return p, nil
}

func atLeast(n float64) int { return max(1, int(math.Ceil(n-1e-9))) }

// breaks says what gives way first.
func breaks(spans float64) string {
	switch {
	case spans < 10_000:
		return "nothing: one process on one small machine; the journal's 10 GiB by default hold hours, not a day"
	case spans < 100_000:
		return "the journal's size: a day of it no longer fits a usual disk, and journal.max_bytes lets the oldest go first"
	case spans < 1_000_000:
		return "the disks, the gateways' first, whose queues write eight bytes for each that comes in: send batches of 512, keep content out (--content none), or spread over more"
	case spans < 3_000_000:
		return "the network: about 10 Gbit/s come in, twice with gateways; compress with zstd, sample what is forwarded, and put Kafka between"
	default:
		return "the list of replicas: gateways and run look-ups name each one, scale-out writes at most 256; beyond, several fleets with one Mimir above them, and no journal longer than minutes"
	}
}
