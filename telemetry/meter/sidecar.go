package meter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

// sidecars keep, beside each finished segment, the fingerprints of the spans
// that were seen in it for the first time, so that the horizon within which a
// span counts once survives a restart without reading the segments again.
//
// A sidecar is a sequence of groups: the journal time in Unix nanoseconds, the
// number of fingerprints, the fingerprints, all little-endian.
type sidecars struct {
	journal *journal.Journal
	engine  *understand.Engine
	log     *slog.Logger

	base  journal.Position // of the segment being collected
	known bool             // base is known
	end   journal.Position // of the last record passed
	group int              // start of the current group in data
	at    int64            // its time
	data  []byte
}

// groupSpan is how far apart the first and last fingerprint of a group may be.
// The horizon counts in coarser steps.
const groupSpan = int64(time.Second)

const (
	groupHead       = 8 + 4
	fingerprintSize = 8
)

// add collects a fingerprint seen for the first time at a journal time.
func (s *sidecars) add(at int64, fingerprint uint64) {
	if len(s.data) == 0 || at-s.at >= groupSpan || at < s.at {
		s.group, s.at = len(s.data), at
		s.data = binary.LittleEndian.AppendUint64(s.data, uint64(at))
		s.data = binary.LittleEndian.AppendUint32(s.data, 0)
	}
	s.data = binary.LittleEndian.AppendUint64(s.data, fingerprint)
	count := s.data[s.group+8:]
	binary.LittleEndian.PutUint32(count, binary.LittleEndian.Uint32(count)+1)
}

// pass is told each record before it is counted. Records of one segment follow
// each other without a gap; behind a gap the segment has to be looked up.
func (s *sidecars) pass(rec *journal.Record) {
	if s.known && rec.Position == s.end {
		s.end = rec.End
		return
	}
	s.end = rec.End
	base, ok := s.baseOf(rec.Position)
	if ok && s.known && base == s.base {
		return // a damaged stretch inside the segment
	}
	s.flush()
	s.base, s.known = base, ok
}

func (s *sidecars) baseOf(pos journal.Position) (journal.Position, bool) {
	segments := s.journal.Segments()
	for i := len(segments) - 1; i >= 0; i-- {
		if segments[i].Base <= pos {
			return segments[i].Base, true
		}
	}
	return 0, false
}

// flush writes what was collected of a segment that is now behind. Without it
// the next start reads the segment instead, so a failure is only logged.
func (s *sidecars) flush() {
	if s.known && len(s.data) > 0 {
		if err := s.journal.PutSidecar(s.base, s.data); err != nil {
			s.log.Warn("the fingerprints of a segment could not be kept; the next start reads the segment instead", "segment", uint64(s.base), "error", err)
		}
	}
	s.data = s.data[:0]
}

// load makes known what was seen since a time in records that end at or before
// a position: from sidecars where there are any, else from the records.
func (s *sidecars) load(upTo journal.Position, since time.Time) error {
	for _, seg := range s.journal.Segments() {
		if seg.Base >= upTo || seg.Last.Before(since) && seg.End <= upTo {
			continue
		}
		if seg.End <= upTo && seg.Sidecar {
			data, ok, err := s.journal.Sidecar(seg.Base)
			if err != nil {
				return fmt.Errorf("read the fingerprints of segment %d: %w", seg.Base, err)
			}
			if ok && s.replay(data) == nil {
				continue
			}
		}
		if err := s.read(seg, upTo); err != nil {
			return err
		}
	}
	return nil
}

var errSidecar = errors.New("not a sequence of fingerprint groups")

func (s *sidecars) replay(data []byte) error {
	for len(data) > 0 {
		if len(data) < groupHead {
			return errSidecar
		}
		at := int64(binary.LittleEndian.Uint64(data))
		n := int(binary.LittleEndian.Uint32(data[8:]))
		if data = data[groupHead:]; n > len(data)/fingerprintSize {
			return errSidecar
		}
		for range n {
			s.engine.Horizon().Add(at, binary.LittleEndian.Uint64(data))
			data = data[fingerprintSize:]
		}
	}
	return nil
}

// read takes the fingerprints from the records of a segment. Those of the
// segment that counting goes on in are collected for its sidecar too.
func (s *sidecars) read(seg journal.Segment, upTo journal.Position) error {
	c, err := s.journal.NewCursor("fingerprints", seg.Base, false)
	if err != nil {
		return err
	}
	defer c.Close()
	s.flush()
	s.base, s.known = seg.Base, true
	end := min(seg.End, upTo)
	for c.Position() < end {
		rec, err := c.TryNext()
		if err != nil {
			return err
		}
		if rec == nil || rec.Position >= end {
			if rec != nil {
				rec.Release()
			}
			break
		}
		s.end = rec.End
		if rec.Kind.Spans() {
			// A record that does not decode held nothing that was counted.
			if data, err := rec.Data(); err == nil {
				_ = s.engine.Observe(rec.Admitted, data)
			}
		}
		rec.Release()
	}
	return nil
}
