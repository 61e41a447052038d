package journal

import "time"

// admit gives the requests of a batch for which there is room, after making room,
// and refuses the others.
func (j *Journal) admit(batch []*request) []*request {
	var need int64 = segmentHeader
	for _, r := range batch {
		need += r.frame
	}
	room := j.makeRoom(need)
	batch = j.fitting(batch, room, roomCause)
	if len(batch) == 0 {
		return nil
	}
	if free, known := j.freeSpace(need); known {
		batch = j.fitting(batch, free, diskCause)
	}
	return batch
}

// fitting gives as many of the first requests as fit into room.
func (j *Journal) fitting(batch []*request, room int64, why cause) []*request {
	room -= segmentHeader
	n := 0
	for n < len(batch) && batch[n].frame <= room {
		room -= batch[n].frame
		n++
	}
	if n < len(batch) {
		j.refuse(batch[n:], why, nil)
	}
	return batch[:n]
}

// makeRoom lets the oldest segments expire until need bytes fit into MaxBytes, and
// gives how many do.
func (j *Journal) makeRoom(need int64) int64 {
	for {
		j.mu.Lock()
		room := j.o.MaxBytes - j.bytes + j.prepared()
		j.mu.Unlock()
		if room >= need {
			return room
		}
		// What is ready for records to come goes before what somebody has not read.
		if !j.expire(j.read) && !j.giveUpSpare() && !j.expire(func(s *segment) bool { return j.passed(s, true) }) {
			return room
		}
	}
}

// freeSpace gives what the file system has room for beside the reserve. To have
// need bytes it gives up what every cursor has passed, and nothing else: what a
// sink still wants is not paid for the space that others take.
func (j *Journal) freeSpace(need int64) (int64, bool) {
	for {
		_, free, err := j.fs.Space(j.dir)
		if err != nil {
			// The write will tell.
			j.fault(err)
			return 0, false
		}
		j.mu.Lock()
		free += j.prepared() - max(j.o.Reserve, 0)
		j.mu.Unlock()
		if free >= need {
			return free, true
		}
		if !j.giveUpSpare() && !j.expire(j.read) {
			return free, true
		}
	}
}

// maintain applies the limits on age.
func (j *Journal) maintain() {
	j.mu.Lock()
	now := j.clock.tick()
	// Lest what comes seldom stay in one segment beyond its time.
	old := j.active != nil && j.active.first != 0 && now-j.active.created > int64(j.o.Keep/4)
	j.horizon.forget(now)
	j.mu.Unlock()
	if old {
		j.seal()
	}
	aged := func(s *segment) bool {
		age := time.Duration(now - max(s.last, s.created))
		return age > j.o.MaxAge && j.passed(s, true) ||
			age > j.o.Keep && j.read(s)
	}
	for more := true; more; {
		more = j.expire(aged)
	}
	again := j.doomed
	j.doomed = nil
	j.remove(again)
}

// passed tells whether all cursors, or only the essential ones, let s go. mu is held.
func (j *Journal) passed(s *segment, essentialOnly bool) bool {
	for _, c := range j.cursors {
		if c.commit < s.end && s.end > s.start() && (c.essential || !essentialOnly) {
			return false
		}
	}
	return true
}

// read tells whether there are cursors and all of them let s go. mu is held.
func (j *Journal) read(s *segment) bool { return len(j.cursors) > 0 && j.passed(s, false) }

// expire deletes the oldest segment if it is sealed and may go, after telling the
// cursors, and tells whether it did. may is called with mu held.
func (j *Journal) expire(may func(*segment) bool) bool {
	j.mu.Lock()
	if len(j.segments) == 0 || !j.segments[0].sealed || !may(j.segments[0]) {
		j.mu.Unlock()
		return false
	}
	if len(j.segments) == 1 {
		// The newest segment is what keeps positions and counts over a restart.
		j.mu.Unlock()
		if err := j.ensureActive(); err != nil {
			j.fault(err)
			return false
		}
		j.mu.Lock()
	}
	s := j.segments[0]
	j.segments = j.segments[1:]
	var unread []string
	for _, c := range j.cursors {
		if c.pass(s) {
			unread = append(unread, c.name)
		}
	}
	j.stats.ExpiredSegments++
	if len(unread) > 0 {
		j.stats.ExpiredUnread++
	}
	j.bytes -= s.size + s.slack + s.sidecar + s.quarantine
	files := []string{fileName(s.base, segmentSuffix)}
	if s.sidecar > 0 {
		files = append(files, fileName(s.base, sidecarSuffix))
	}
	if s.quarantine > 0 {
		files = append(files, fileName(s.base, quarantineSuffix))
	}
	j.mu.Unlock()
	if len(unread) > 0 {
		j.log.Warn("retention passed over readers", "readers", unread,
			"segment", fileName(s.base, segmentSuffix), "last", instant(s.last))
	}
	j.remove(files)
	return true
}

// remove deletes files; what cannot be deleted now is tried again.
func (j *Journal) remove(files []string) {
	j.sidecars.Lock()
	defer j.sidecars.Unlock()
	for _, name := range files {
		if err := j.fs.Remove(j.path(name)); err != nil && !isMissing(err) {
			j.doomed = append(j.doomed, name)
			j.fault(err)
		}
	}
}
