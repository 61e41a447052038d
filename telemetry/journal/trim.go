package journal

// trim cuts the zeros off the segments that a crash left with them, which the
// headers behind them let nobody read. The writer calls it.
func (j *Journal) trim() {
	if !j.untrimmed {
		return
	}
	j.untrimmed = false
	// Erase may be making a copy of one.
	j.sidecars.Lock()
	defer j.sidecars.Unlock()
	j.mu.Lock()
	segments := j.segments[:len(j.segments)-1]
	j.mu.Unlock()
	for _, s := range segments {
		j.mu.Lock()
		size, slack := s.size, s.slack
		j.mu.Unlock()
		if slack <= 0 {
			continue
		}
		if err := j.fs.Truncate(j.path(fileName(s.base, segmentSuffix)), size); err != nil {
			j.fault(err)
			continue
		}
		j.mu.Lock()
		j.bytes -= slack
		s.slack = 0
		j.mu.Unlock()
	}
}

// cutSlack ends the active segment's file where its records end.
func (j *Journal) cutSlack() {
	s := j.active
	if s.slack <= 0 {
		return
	}
	if err := j.file.Truncate(s.size); err != nil {
		// The next Open finds zeros there, which stand for nothing.
		j.fault(err)
		return
	}
	j.mu.Lock()
	j.bytes -= s.slack
	s.slack = 0
	j.mu.Unlock()
}
