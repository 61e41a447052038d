package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
)

// ensureActive makes a segment to append to where there is none. The segment's
// header is durable when it returns.
func (j *Journal) ensureActive() error {
	if j.active != nil {
		return nil
	}
	var salt [8]byte
	// crypto/rand never fails.
	_, _ = rand.Read(salt[:])
	j.mu.Lock()
	h := segmentHead{
		prevLast: j.clock.last, seq: j.seq, items: j.items,
		created: j.clock.tick(), salt: max(binary.LittleEndian.Uint64(salt[:]), 1),
	}
	if n := len(j.segments); n > 0 {
		prev := j.segments[n-1]
		h.base, h.prevBase, h.prevEnd = prev.fileEnd(), prev.base, prev.end
		if prev.last != 0 {
			h.prevLast = prev.last
		}
	} else {
		// Retention may have taken the last one: positions go on all the same.
		h.base = j.durable
	}
	j.mu.Unlock()

	name := j.path(fileName(h.base, segmentSuffix))
	var err error
	f, size := j.takeSpare()
	spare := f != nil
	if spare {
		h.prepared = size
	} else if f, err = j.fs.Create(name); err != nil {
		return err
	}
	err = f.WriteVec([][]byte{h.encode()}, 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil && spare {
		// Only now, lest a crash leave a segment without a header.
		err = j.fs.Rename(j.path(spareName), name)
	}
	if err == nil {
		err = j.fs.SyncDir(j.dir)
	}
	if err != nil {
		err = errors.Join(err, f.Close())
		// A file that stays is taken over by the next attempt or the next Open.
		_ = j.fs.Remove(name)
		if spare {
			j.discard(spareName)
			j.mu.Lock()
			j.bytes -= h.prepared
			j.mu.Unlock()
		}
		return err
	}
	s := &segment{
		base: h.base, salt: h.salt, end: h.base + segmentHeader, size: segmentHeader,
		seq: h.seq, items: h.items, seqEnd: h.seq, itemsEnd: h.items, created: h.created, prepared: spare,
	}
	j.active, j.file, j.cooling = s, f, cooling{base: h.base}
	j.mu.Lock()
	j.segments = append(j.segments, s)
	if spare {
		s.slack = h.prepared - segmentHeader
	} else {
		j.bytes += segmentHeader
	}
	j.mu.Unlock()
	j.flusher.use(f, h.base)
	j.trim()
	return nil
}

// seal ends the active segment. All of it is durable, or, with Memory, will be when
// the flusher has closed it.
func (j *Journal) seal() {
	j.mu.Lock()
	j.active.sealed = true
	j.mu.Unlock()
	j.cutSlack()
	f := j.file
	j.active, j.file = nil, nil
	if j.o.Ack == Memory {
		j.flusher.retire(f)
		return
	}
	if err := f.Close(); err != nil {
		j.fault(err)
	}
}

// fail ends the active segment at its last durable record, after a write or an
// fsync of frames bytes at offset failed: the kernel may have dropped what was
// dirty, so nothing behind can be trusted again. The next segment's base lies
// behind all that was tried, so that no position is used twice.
func (j *Journal) fail(offset, frames int64) {
	j.mu.Lock()
	s := j.active
	s.sealed = true
	long := s.size + s.slack
	s.size = offset + frames
	s.slack = max(long-s.size, 0)
	j.bytes += s.size + s.slack - long
	j.stats.Failures++
	j.mu.Unlock()
	f := j.file
	j.active, j.file = nil, nil
	if j.o.Ack == Memory {
		j.flusher.forget()
	}
	// Giving the space back is a courtesy: the next segment's header is what keeps
	// readers from what is there.
	if f.Truncate(offset) == nil {
		j.mu.Lock()
		j.bytes -= s.size + s.slack - offset
		s.slack = offset - s.size
		j.mu.Unlock()
	}
	if err := f.Close(); err != nil {
		j.fault(err)
	}
}

// finish ends the writer: what is written becomes durable.
func (j *Journal) finish() {
	err := j.flusher.stop()
	if j.file != nil {
		j.cutSlack()
		err = errors.Join(err, j.file.Close())
		j.file = nil
	}
	j.mu.Lock()
	j.closeErr = err
	j.mu.Unlock()
}
