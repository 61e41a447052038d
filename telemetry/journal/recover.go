package journal

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"treq/telemetry"
)

// found is a segment's file as recovery meets it.
type found struct {
	*segment
	file  File
	head  segmentHead
	valid bool // head is
}

// recover learns what the directory holds. It removes leftovers that stand for
// nothing, and changes no segment.
func (j *Journal) recover(ctx context.Context) error {
	files, err := j.inventory()
	defer func() {
		for _, f := range files {
			if f.file != nil {
				// Read only: nothing can be lost.
				_ = f.file.Close()
			}
		}
	}()
	if err != nil {
		return err
	}
	for i, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		var next *found
		if i+1 < len(files) {
			next = files[i+1]
		}
		if !f.valid {
			f.seq, f.items = j.seq, j.items
		}
		if next != nil && next.follows(f) {
			err = f.learnFrom(next)
		} else {
			err = j.survey(f, next)
		}
		if err != nil {
			return unavailable("cannot read "+j.path(fileName(f.base, segmentSuffix)), 0, err)
		}
		j.seq, j.items, j.durable = f.seqEnd, f.itemsEnd, f.end
		j.clock.atLeast(max(f.created, f.last))
		j.segments = append(j.segments, f.segment)
	}
	if err := j.settle(files); err != nil {
		return err
	}
	j.untrimmed = slices.ContainsFunc(j.segments, func(s *segment) bool { return s.slack > 0 })
	j.openEnd, j.ring.start = j.durable, j.durable
	return j.remember(ctx, files)
}

// inventory lists the segments with their headers and sidecars.
func (j *Journal) inventory() ([]*found, error) {
	names, err := j.fs.ReadDir(j.dir)
	if err != nil {
		return nil, unavailable("cannot list data directory "+j.dir, 0, err)
	}
	var files []*found
	for _, name := range names {
		base, ok := parseFileName(name, segmentSuffix)
		if !ok {
			continue
		}
		f := &found{segment: &segment{base: base, sealed: true}}
		files = append(files, f)
		if err := j.open(f, name); err != nil {
			if telemetry.KindOf(err) == telemetry.Unsupported {
				return files, err
			}
			return files, unavailable("cannot read "+j.path(name), 0, err)
		}
		j.bytes += f.size
	}
	slices.SortFunc(files, func(a, b *found) int { return cmp.Compare(a.base, b.base) })
	for _, name := range names {
		if strings.HasSuffix(name, temporarySuffix) {
			j.discard(name)
			continue
		}
		for _, suffix := range []string{sidecarSuffix, quarantineSuffix} {
			base, ok := parseFileName(name, suffix)
			if !ok {
				continue
			}
			i, live := slices.BinarySearchFunc(files, base, func(f *found, b Position) int { return cmp.Compare(f.base, b) })
			if !live {
				j.discard(name)
				continue
			}
			size := j.sizeOf(name)
			j.bytes += size
			if suffix == sidecarSuffix {
				files[i].sidecar = size
			} else {
				files[i].quarantine = size
			}
		}
	}
	return files, nil
}

// open opens a segment's file and reads its header.
func (j *Journal) open(f *found, name string) (err error) {
	if f.file, err = j.fs.Open(j.path(name)); err != nil {
		return err
	}
	if f.size, err = f.file.Size(); err != nil {
		return err
	}
	b := make([]byte, min(f.size, segmentHeader))
	if _, err = f.file.ReadAt(b, 0); err != nil {
		return err
	}
	f.head, f.valid, err = parseSegmentHead(b, f.base)
	if f.valid {
		f.prepared = f.head.prepared > 0
		f.salt, f.seq, f.items, f.created = f.head.salt, f.head.seq, f.head.items, f.head.created
	}
	return err
}

// follows tells whether the header of n knows where f ends.
func (n *found) follows(f *found) bool {
	return n.valid && n.head.prevBase == f.base && n.head.prevEnd >= f.start() && n.head.prevEnd <= n.base
}

// learnFrom takes what the header of the next segment says about f.
func (f *found) learnFrom(next *found) error {
	f.end, f.seqEnd, f.itemsEnd = next.head.prevEnd, next.head.seq, next.head.items
	if written := int64(next.base - f.base); f.prepared && f.size > written {
		f.size, f.slack = written, f.size-written
	}
	if f.end == f.start() {
		return nil
	}
	f.last = next.head.prevLast
	s := newScanner(f.file, f.base, f.salt, int64(f.end-f.base), narrowWindow)
	off, err := s.seek(segmentHeader)
	if err != nil {
		return err
	}
	h, ok, err := s.frame(off)
	if err != nil {
		return err
	}
	f.first, f.segment.salt = f.last, s.salt
	if ok {
		f.first = h.admitted
		if !f.valid {
			f.seq, f.items = min(f.seq, h.seq), min(f.items, h.itemsBefore)
		}
	}
	return nil
}

// survey reads a segment of which nobody tells where it ends: the last one, and the
// one before a damaged header. Only the last one's bodies are read: those of others
// were durable before the next began.
func (j *Journal) survey(f, next *found) error {
	limit, window := f.size, wideWindow
	if next != nil {
		limit, window = min(limit, int64(next.base-f.base)), narrowWindow
	}
	s := newScanner(f.file, f.base, f.salt, limit, window)
	if next == nil && f.prepared && f.size <= f.head.prepared {
		var err error
		if s.blank, err = s.blankFrom(limit); err != nil {
			return err
		}
	}
	f.seqEnd, f.itemsEnd = f.seq, f.items
	var bad []damage
	end, err := s.walk(segmentHeader, next == nil, func(h *head) {
		if f.first == 0 {
			f.first = h.admitted
			if !f.valid {
				f.seq, f.items = h.seq, h.itemsBefore
				f.seqEnd, f.itemsEnd = h.seq, h.itemsBefore
			}
		}
		if n := len(bad); n > 0 && bad[n-1].records == unknown {
			bad[n-1].records, bad[n-1].items = h.seq-f.seqEnd, h.itemsBefore-f.itemsEnd
		}
		f.last, f.seqEnd, f.itemsEnd = h.admitted, h.seq+1, h.itemsBefore+uint64(h.items)
	}, func(d damage) {
		d.records = unknown
		bad = append(bad, d)
	})
	if err != nil {
		return err
	}
	f.segment.salt = s.salt
	f.end = f.base + Position(max(end, segmentHeader))
	if s.blank > 0 {
		// The zeros that it was filled with are no tail. A record may end with some.
		written := max(s.blank, end)
		f.size, f.slack = written, f.size-written
	}
	for _, d := range bad {
		j.damage(f.segment, d, f.file)
	}
	if next == nil && f.size > end {
		j.torn(f, end)
	}
	return nil
}

// unknown marks a damage whose loss the next valid frame will tell.
const unknown = ^uint64(0)

// torn counts what stands behind the last record, which the next segment's header
// will cut off for good.
func (j *Journal) torn(f *found, end int64) {
	j.stats.TornBytes += f.size - max(end, min(f.size, segmentHeader))
	if f.size > max(end, segmentHeader) {
		j.log.Warn("cut a torn tail off the journal", "segment", fileName(f.base, segmentSuffix),
			"bytes", f.size-end)
	}
}

// settle makes durable what recovery took for granted: a crash may have left the
// last segment's content in the page cache only. Its name was durable before it got
// its first record.
func (j *Journal) settle(files []*found) error {
	if len(files) == 0 {
		return nil
	}
	last := files[len(files)-1]
	if err := last.file.Sync(); err != nil {
		return unavailable("cannot make "+j.path(fileName(last.base, segmentSuffix))+" durable", 0, err)
	}
	return nil
}

// remember fills the horizon from the headers of recent records.
func (j *Journal) remember(ctx context.Context, files []*found) error {
	since := j.clock.tick() - int64(j.o.Horizon)
	for _, f := range files {
		if f.first == 0 || f.last < since {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		s := newScanner(f.file, f.base, f.salt, int64(f.end-f.base), narrowWindow)
		_, err := s.walk(segmentHeader, false, func(h *head) {
			if h.admitted < since {
				return
			}
			j.horizon.add(h.hash, original{
				receipt:  Receipt{Position: h.position, End: h.position + Position(h.length), Check: h.check},
				admitted: h.admitted,
			})
		}, nil)
		if err != nil {
			return unavailable("cannot read "+j.path(fileName(f.base, segmentSuffix)), 0, err)
		}
	}
	return nil
}

// discard removes a file that stands for nothing; one that stays does no harm.
func (j *Journal) discard(name string) {
	_ = j.fs.Remove(j.path(name))
}

// sizeOf gives a file's size, 0 where it cannot be told.
func (j *Journal) sizeOf(name string) int64 {
	f, err := j.fs.Open(j.path(name))
	if err != nil {
		return 0
	}
	size, err := f.Size()
	if err != nil {
		size = 0
	}
	_ = f.Close()
	return size
}
