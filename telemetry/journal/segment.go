package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"treq/telemetry"
)

// A segment is a file named by its base in hexadecimal. It starts with a header
// of which the layout holds for every format version:
//
//	 0  8  magic
//	 8  4  format version
//	12  4  zero
//	16  8  base
//	24  8  base of the segment before
//	32  8  end of the segment before: nothing behind it is ever read
//	40  8  admission of the last record before, Unix nanoseconds
//	48  8  number of records before
//	56  8  number of items before
//	64  8  created, Unix nanoseconds
//	72  8  salt
//	80  8  length up to which the file was filled with zeros before, 0: it was not
//	88  4  zero
//	92  4  CRC32C of bytes 0 to 92
const (
	segmentHeader = 96
	formatVersion = 1

	segmentSuffix    = ".seg"
	sidecarSuffix    = ".side"
	quarantineSuffix = ".quarantine"
	temporarySuffix  = ".tmp"
)

const segmentMagic = "treqjrnl"

// Segment describes a part of the journal that retention keeps or lets go as a whole.
type Segment struct {
	// Base names the segment; no record of it has a smaller position.
	Base Position
	// End is the end of its last durable record; Base if it has none.
	End Position
	// Sealed segments get no further records.
	Sealed bool
	// First and Last are the admission times of its first and last record; zero if
	// it has none.
	First, Last time.Time
	Records     uint64
	Items       uint64
	// Sidecar tells whether PutSidecar stored something for it.
	Sidecar bool
}

// segment is what the journal knows of one. Guarded by Journal.mu but for base and
// salt, which never change.
type segment struct {
	base Position
	salt uint64
	end  Position // of the last durable record; base+segmentHeader at first

	// What lies before the segment, and before its end.
	seq, items       uint64
	seqEnd, itemsEnd uint64

	created, first, last int64 // Unix nanoseconds; 0: no record
	size                 int64 // of what was written to the file, with what is behind end
	slack                int64 // how much longer the file is; below 0 where it was cut
	sidecar              int64 // size of the sidecar file, 0: none
	quarantine           int64 // size of the quarantine file, 0: none
	sealed               bool
	prepared             bool // its file was a spare
	generation           int  // counts how often its file was replaced
}

func (s *segment) start() Position { return s.base + segmentHeader }

// fileEnd is a position that nothing in the file reaches.
func (s *segment) fileEnd() Position { return s.base + Position(max(s.size, segmentHeader)) }

func (s *segment) describe() Segment {
	d := Segment{
		Base: s.base, End: s.base, Sealed: s.sealed,
		Records: s.seqEnd - s.seq, Items: s.itemsEnd - s.items, Sidecar: s.sidecar > 0,
	}
	if s.end > s.start() {
		d.End = s.end
	}
	if s.first != 0 {
		d.First, d.Last = instant(s.first), instant(s.last)
	}
	return d
}

func instant(unixNano int64) time.Time { return time.Unix(0, unixNano).UTC() }

func fileName(base Position, suffix string) string {
	return fmt.Sprintf("%016x%s", uint64(base), suffix)
}

// parseFileName is the reverse of fileName.
func parseFileName(name, suffix string) (Position, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	base, err := strconv.ParseUint(digits, 16, 64)
	if err != nil || fileName(Position(base), suffix) != name {
		return 0, false
	}
	return Position(base), true
}

// segmentHead is the header of a segment's file.
type segmentHead struct {
	base, prevBase, prevEnd Position
	prevLast                int64
	seq, items              uint64
	created                 int64
	salt                    uint64
	prepared                int64
}

func (h *segmentHead) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, segmentHeader)
	b = append(b, segmentMagic...)
	b = le.AppendUint32(b, formatVersion)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, uint64(h.base))
	b = le.AppendUint64(b, uint64(h.prevBase))
	b = le.AppendUint64(b, uint64(h.prevEnd))
	b = le.AppendUint64(b, uint64(h.prevLast))
	b = le.AppendUint64(b, h.seq)
	b = le.AppendUint64(b, h.items)
	b = le.AppendUint64(b, uint64(h.created))
	b = le.AppendUint64(b, h.salt)
	b = le.AppendUint64(b, uint64(h.prepared))
	b = append(b, make([]byte, 4)...)
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// parseSegmentHead reads the header of the segment named by base. It reports false
// for a damaged one, and an error only for an undamaged one of a newer format.
func parseSegmentHead(b []byte, base Position) (segmentHead, bool, error) {
	le := binary.LittleEndian
	if len(b) < segmentHeader || string(b[:8]) != segmentMagic ||
		crc32.Checksum(b[:92], castagnoli) != le.Uint32(b[92:]) ||
		Position(le.Uint64(b[16:])) != base {
		return segmentHead{}, false, nil
	}
	if v := le.Uint32(b[8:]); v != formatVersion {
		return segmentHead{}, false, telemetry.Errorf(telemetry.Unsupported,
			"%s has journal format %d and this program reads format %d: start the newer program that wrote it, or another data directory",
			fileName(base, segmentSuffix), v, formatVersion)
	}
	return segmentHead{
		base:     base,
		prevBase: Position(le.Uint64(b[24:])),
		prevEnd:  Position(le.Uint64(b[32:])),
		prevLast: int64(le.Uint64(b[40:])),
		seq:      le.Uint64(b[48:]),
		items:    le.Uint64(b[56:]),
		created:  int64(le.Uint64(b[64:])),
		salt:     le.Uint64(b[72:]),
		prepared: int64(le.Uint64(b[80:])),
	}, true, nil
}
