package journal

import (
	"time"

	"treq/telemetry"
)

// maxBatch bounds the bytes of one group commit, and so how long its requests wait
// for each other.
const maxBatch = 64 << 20

// run is the writer goroutine.
func (j *Journal) run() {
	tick := time.NewTicker(maintenance)
	defer tick.Stop()
	w := writer{Journal: j}
	for {
		select {
		case <-j.kick:
			w.drain()
		case <-tick.C:
			j.maintain()
		case base := <-j.sealing:
			j.sealIf(base)
		case <-j.stopping:
			w.drain()
			j.finish()
			return
		}
	}
}

// writer holds the buffers of the writer goroutine.
type writer struct {
	*Journal
	heads   []byte
	bufs    [][]byte
	evicted []*Record
	group   grouping
	stood   Position // where an essential reader was waited for in vain
}

// drain commits until nothing waits.
func (w *writer) drain() {
	for {
		w.keepUp()
		w.assemble()
		batch := w.take()
		if len(batch) == 0 {
			return
		}
		began := time.Now()
		w.commit(batch)
		ended := time.Now()
		waiting, _ := w.waiting()
		w.group.committed(ended, len(batch), waiting, ended.Sub(began))
	}
}

// assemble waits for the requests that are about to come, as grouping says.
func (w *writer) assemble() {
	waiting, _ := w.waiting()
	most := w.group.wait(time.Now(), waiting)
	if most <= 0 {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case <-w.kick:
		case <-timer.C:
			w.group.missed(time.Now(), most)
			return
		}
		waiting, full := w.waiting()
		if waiting == 0 { // withdrawn
			return
		}
		if waiting >= w.group.expected || full {
			w.group.joined()
			return
		}
	}
}

// waiting gives the requests of the queue, and whether they are as much as one commit
// takes.
func (w *writer) waiting() (n int, full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue), w.queued >= maxBatch
}

// take takes the requests of one batch from the queue.
func (w *writer) take() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	var size int64
	n := 0
	for n < len(w.queue) && (n == 0 || size+w.queue[n].frame <= maxBatch) {
		size += w.queue[n].frame
		w.queue[n].taken = true
		n++
	}
	batch := w.queue[:n:n]
	w.queue = w.queue[n:]
	w.queued -= size
	return batch
}

// commit stores a batch, as far as there is room, and answers its requests.
func (w *writer) commit(batch []*request) {
	batch = w.admit(batch)
	if len(batch) == 0 {
		return
	}
	if err := w.ensureActive(); err != nil {
		w.refuse(batch, faultCause, err)
		return
	}
	offset := w.active.size
	frames := w.lay(batch)
	err := w.file.WriteVec(w.bufs, offset)
	if err == nil && w.o.Ack == Fsync {
		err = w.file.Sync()
	}
	clear(w.bufs)
	w.bufs = w.bufs[:0]
	if err != nil {
		w.fail(offset, frames)
		w.refuse(batch, faultCause, err)
		return
	}
	w.prepare(w.inflight, frames)
	w.publish(batch, frames)
	w.accepting()
	if w.o.Ack == Fsync {
		w.cooling.until(w.Journal, w.file, w.active.size)
	} else {
		w.flusher.written.Store(w.active.size)
	}
	if w.active.size >= w.o.SegmentBytes || w.ripe() {
		w.seal()
	}
}

// lay gives each record its position and time, and encodes the batch. It gives the
// length of the frames.
func (w *writer) lay(batch []*request) int64 {
	w.mu.Lock()
	now := w.clock.tick()
	w.inflight = now
	pos, seq, items := w.active.base+Position(w.active.size), w.seq, w.items
	w.mu.Unlock()

	start := pos
	w.heads = w.heads[:0]
	ends := make([]int, len(batch))
	for i, r := range batch {
		rec := r.record
		rec.Position, rec.End = pos, pos+Position(r.frame)
		rec.seq, rec.itemsBefore, rec.Admitted = seq, items, instant(now)
		h := head{
			length: uint32(r.frame), bodyCRC: r.bodyCRC, position: pos, salt: w.active.salt,
			seq: seq, itemsBefore: items, admitted: now, hash: rec.Hash, check: rec.Check,
			items: rec.Items, decodedLen: rec.decodedLen, kind: rec.Kind, encoding: rec.Encoding,
			door: []byte(rec.Door), project: []byte(rec.Project), tenant: []byte(rec.Tenant),
		}
		w.heads = h.append(w.heads)
		ends[i] = len(w.heads)
		pos, seq, items = rec.End, seq+1, items+uint64(rec.Items)
	}
	from := 0
	for i, r := range batch {
		w.bufs = append(w.bufs, w.heads[from:ends[i]])
		if len(r.record.Body) > 0 {
			w.bufs = append(w.bufs, r.record.Body)
		}
		from = ends[i]
	}
	return int64(pos - start)
}

// publish shows a durable batch to the readers and answers it.
func (w *writer) publish(batch []*request, frames int64) {
	w.mu.Lock()
	s := w.active
	for _, r := range batch {
		rec := r.record
		r.receipt = Receipt{Position: rec.Position, End: rec.End, Check: rec.Check}
		admitted := rec.Admitted.UnixNano()
		if s.first == 0 {
			s.first = admitted
		}
		s.last = admitted
		w.forgetPending(r)
		w.horizon.add(rec.Hash, original{receipt: r.receipt, admitted: admitted})
		w.seq++
		w.items += uint64(rec.Items)
		w.stats.AppendedItems += uint64(rec.Items)
		w.evicted = w.ring.push(rec, w.evicted)
		w.shared.add(w.Journal, rec)
	}
	s.size += frames
	s.end = s.base + Position(s.size)
	s.seqEnd, s.itemsEnd = w.seq, w.items
	w.durable = s.end
	w.evicted = w.ring.pass(w.nearest(), w.evicted)
	w.bytes += max(frames-max(s.slack, 0), 0)
	s.slack = max(s.slack-frames, 0)
	w.inflight = 0
	w.stats.Appended += uint64(len(batch))
	w.stats.AppendedBytes += uint64(frames)
	w.stats.Batches++
	if w.o.Ack == Fsync {
		w.stats.Fsyncs++
	}
	cursors := w.cursors
	w.mu.Unlock()
	for _, r := range batch {
		close(r.done)
	}
	for _, c := range cursors {
		c.notify()
	}
	releaseAll(w.evicted)
	clear(w.evicted)
	w.evicted = w.evicted[:0]
}

// nearest gives the position of the last of the readers for whom the ring is: those
// whose next record it has, or that are no further behind than it may hold. The others
// read the disk until they are. mu is held.
func (j *Journal) nearest() Position {
	pos := j.durable
	for _, c := range j.cursors {
		if !c.closed && (c.pos >= j.ring.start || int64(j.durable-c.pos) <= j.ring.most) {
			pos = min(pos, c.pos)
		}
	}
	return pos
}

// cause says why requests are refused.
type cause uint8

const (
	roomCause cause = iota
	diskCause
	faultCause
)

// refuse answers requests that are not stored, and forgets their hashes.
func (j *Journal) refuse(batch []*request, why cause, err error) {
	var answer *telemetry.Error
	n := uint64(len(batch))
	j.mu.Lock()
	switch why {
	case roomCause:
		j.stats.Refused.Room += n
		answer = unavailable("the journal is full and what is in it was not counted yet", soon, err)
	case diskCause:
		j.stats.Refused.Disk += n
		answer = unavailable("the disk is full", later, err)
	default:
		j.stats.Refused.Fault += n
		answer = unavailable("the journal cannot write", later, err)
	}
	for _, r := range batch {
		j.forgetPending(r)
		r.err = answer
	}
	j.inflight = 0
	j.refusing = true
	tell := j.refusals.begin(j.o.Now())
	j.mu.Unlock()
	if err != nil {
		j.fault(err)
	}
	if tell {
		j.log.Error("the journal refuses appends until it can store them again", "reason", answer.Error())
	}
	for _, r := range batch {
		close(r.done)
		r.record.Release()
	}
}

// forgetPending ends the time in which duplicates wait for r. mu is held.
func (j *Journal) forgetPending(r *request) {
	if j.pending[r.record.Hash] == r {
		delete(j.pending, r.record.Hash)
	}
}

// accepting notes that appends succeed again.
func (j *Journal) accepting() {
	j.mu.Lock()
	j.refusing = false
	tell := j.refusals.end(j.o.Now())
	j.mu.Unlock()
	if tell {
		j.log.Info("the journal stores appends again")
	}
}
