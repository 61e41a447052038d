package journal

import (
	"math"
	"time"
)

// Stats tell about a journal. The sizes are of now, the counts of this process's
// life.
type Stats struct {
	// Bytes is the size of all files, with what is held ready, MaxBytes its bound.
	Bytes, MaxBytes int64
	// RoomBytes is about what may be appended before appends are refused, by MaxBytes
	// and by the file system, after all that may expire has; 0: the next is refused.
	RoomBytes int64
	// UnexpiredBytes is what may be appended before the oldest segment expires, whoever
	// has not read it.
	UnexpiredBytes int64
	// Refusing tells that the last append was refused for lack of room or a failing disk.
	Refusing bool
	Segments int
	// Oldest is the admission of the oldest record, zero without one.
	Oldest time.Time
	// OldestAge is how long ago that was by the journal's clock.
	OldestAge time.Duration
	// RingBytes is what recent records take in memory.
	RingBytes int64
	// Waiting is the number of appends that wait for the writer.
	Waiting int
	// Hashes is the number of remembered hashes; HashesCut how many were forgotten
	// before the horizon because of HorizonBytes.
	Hashes    int
	HashesCut uint64

	Appended, AppendedItems, AppendedBytes uint64
	Duplicates                             uint64
	Refused                                Refusals
	// Batches is the number of group commits, Fsyncs that of data fsyncs.
	Batches, Fsyncs uint64
	// Failures counts writes and fsyncs that failed, each the end of its segment.
	Failures uint64

	// TornBytes is what Open cut off behind the last record.
	TornBytes int64
	// Damaged counts stretches that hold no valid record and were skipped,
	// DamagedRecords and DamagedItems what they are known to have held.
	Damaged, DamagedRecords, DamagedItems uint64
	// QuarantinedBytes were copied to quarantine files.
	QuarantinedBytes int64
	// DamagedSidecars counts sidecars that could not be read.
	DamagedSidecars uint64

	// ExpiredSegments were deleted by retention; ExpiredUnread of them before some
	// cursor had passed them.
	ExpiredSegments, ExpiredUnread uint64

	// LastError is the last failure of the file system, "" if none, and when.
	LastError   string
	LastErrorAt time.Time
}

// Refusals count appends refused with kind Unavailable, by reason.
type Refusals struct {
	// Room: MaxBytes is reached and an essential cursor has not passed the oldest segment.
	Room uint64
	// Disk: the file system is full but for the reserve.
	Disk uint64
	// Fault: a write or an fsync failed.
	Fault uint64
	// Queue: too much waits to be written.
	Queue uint64
}

// Stats gives the figures of this moment.
func (j *Journal) Stats() Stats {
	_, free, err := j.fs.Space(j.dir)
	if err != nil {
		// Only the writer finds out then.
		free = math.MaxInt64
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Bytes, s.MaxBytes = j.bytes, j.o.MaxBytes
	s.UnexpiredBytes = max(j.o.MaxBytes-j.bytes+j.blank(), 0)
	s.RoomBytes = j.roomLocked(free)
	s.Refusing = j.refusing
	s.Segments = len(j.segments)
	s.RingBytes = j.ring.bytes
	s.Waiting = len(j.queue)
	s.Hashes = len(j.horizon.known)
	s.HashesCut = j.horizon.cut
	for _, seg := range j.segments {
		if seg.first != 0 {
			s.Oldest = instant(seg.first)
			s.OldestAge = time.Duration(j.clock.tick() - seg.first)
			break
		}
	}
	return s
}

// roomLocked gives what may be appended before it is refused. mu is held.
func (j *Journal) roomLocked(free int64) int64 {
	room := j.o.MaxBytes - j.bytes + j.blank()
	free = saturated(free, j.blank()) - max(j.o.Reserve, 0)
	givenUp := len(j.cursors) > 0
	for _, s := range j.segments {
		if !s.sealed || !j.passed(s, true) {
			break
		}
		room += s.size + s.slack
		if givenUp = givenUp && j.passed(s, false); givenUp {
			free = saturated(free, s.size+s.slack)
		}
	}
	return max(min(room, free)-segmentHeader, 0)
}

// blank is what the journal holds ready for what comes. mu is held.
func (j *Journal) blank() int64 {
	n := j.spare.held()
	if i := len(j.segments); i > 0 && !j.segments[i-1].sealed {
		n += max(j.segments[i-1].slack, 0)
	}
	return n
}

func saturated(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// fault notes a failure of the file system.
func (j *Journal) fault(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stats.LastError = err.Error()
	j.stats.LastErrorAt = instant(j.clock.tick())
}
