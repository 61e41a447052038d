package journal

import (
	"log/slog"
	"time"
)

// AckMode says what Append waits for.
type AckMode uint8

// The modes.
const (
	// Fsync waits until the record is on stable storage: it survives a power cut.
	Fsync AckMode = iota
	// Memory waits until the operating system has the record: it survives the death
	// of the process, and a power cut costs about the last second.
	Memory
)

// Options say how a journal works. The zero value of each field stands for the
// default it names.
type Options struct {
	// FS is where it writes; OS().
	FS FS
	// SegmentBytes ends a segment after it passes them; 64 MiB, and at most an eighth
	// of MaxBytes.
	SegmentBytes int64
	// Keep is how long a segment stays although every cursor has passed it; 24 h.
	Keep time.Duration
	// MaxAge is how long a segment stays although a cursor that is not essential has
	// not passed it; 7 days.
	MaxAge time.Duration
	// MaxBytes bounds all files together; a fifth of the file system, at most 10 GiB.
	MaxBytes int64
	// Horizon is how long the hash of an entry makes an equal one a duplicate; 15 min.
	Horizon time.Duration
	// HorizonBytes bounds the memory that hashes take; 64 MiB. Beyond, the oldest are
	// forgotten early.
	HorizonBytes int64
	// Ack says what Append waits for; Fsync.
	Ack AckMode
	// RingBytes bounds the bytes of recent records kept in memory for readers at the
	// tail, which are a few records of the newest one's size, or 8 MiB of small ones;
	// 64 MiB. Negative: none. One record may be larger than the bound.
	RingBytes int64
	// MaxDecoded bounds what Record.Data decompresses; 64 MiB.
	MaxDecoded int64
	// LockWait is how long Open waits for another process to let the directory go; 0
	// does not wait.
	LockWait time.Duration
	// Reserve is room on the file system that appends leave to others, such as
	// checkpoints; a sixteenth of the file system, at most 32 MiB. Negative: none.
	Reserve int64
	// Prepare is the rate, in bytes a second, up to which the file of the next segment is
	// filled with zeros ahead of its records, so that their fsync costs less and waits for
	// nobody: where writing over what is there is cheaper than appending, with Fsync, and
	// in a journal of at least 16 segments. As much is written twice then. 48 MiB;
	// negative: never.
	Prepare int64
	// Now is the clock; time.Now.
	Now func() time.Time
	// Logger is told what no call returns: losses, quarantine, refusing and its end.
	// slog.Default().
	Logger *slog.Logger
}

const (
	defaultMaxBytes = 10 << 30
	defaultReserve  = 32 << 20
	leastSegment    = 64 << 10
)

// withDefaults fills in what does not depend on the file system.
func (o Options) withDefaults() Options {
	setDefault(&o.SegmentBytes, 64<<20)
	setDefault(&o.Keep, 24*time.Hour)
	setDefault(&o.MaxAge, 7*24*time.Hour)
	setDefault(&o.Horizon, 15*time.Minute)
	setDefault(&o.HorizonBytes, 64<<20)
	setDefault(&o.RingBytes, 64<<20)
	setDefault(&o.MaxDecoded, 64<<20)
	setDefault(&o.Prepare, 48<<20)
	if o.FS == nil {
		o.FS = OS()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Keep = max(o.Keep, o.Horizon)
	o.MaxAge = max(o.MaxAge, o.Keep)
	return o
}

// withSpace fills in what depends on the size of the file system, 0 if not known.
func (o Options) withSpace(total int64) Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
		if total > 0 {
			o.MaxBytes = min(o.MaxBytes, total/5)
		}
	}
	if o.Reserve == 0 {
		o.Reserve = defaultReserve
		if total > 0 {
			o.Reserve = min(o.Reserve, total/16)
		}
	}
	o.SegmentBytes = min(o.SegmentBytes, max(o.MaxBytes/8, leastSegment))
	return o
}

func setDefault[T int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
