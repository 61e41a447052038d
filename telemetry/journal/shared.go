package journal

// largeRecord is from where on, in bytes as stored or decompressed, the readers of a
// record share the one copy of it that is in memory: a request near the largest size
// would otherwise be there once for each of them that reads it from the disk.
const largeRecord = 4 << 20

// large tells whether readers share the record. It needs nothing of the body.
func (r *Record) large() bool {
	return r.End-r.Position > largeRecord || r.decodedLen > largeRecord
}

// shared are the large records that somebody holds, by position, without an owner of
// its own. It is guarded by Journal.mu.
type shared map[Position]*Record

// add takes a record that was just written, if it is large.
func (s shared) add(j *Journal, r *Record) {
	if r.large() {
		r.journal = j
		s[r.Position] = r
	}
}

// share gives the record that r, of which read gets the body, stands for, or nil if read
// reports that it is damaged: with one more owner where another reader has it, else r
// itself, which the next one will share. One reads at a time, so that those that come
// together have one copy.
func (j *Journal) share(r *Record, generation int, read func() (bool, error)) (*Record, error) {
	j.sharing.Lock()
	defer j.sharing.Unlock()
	j.mu.Lock()
	known := j.shared[r.Position]
	j.mu.Unlock()
	if known != nil && known.revive() {
		return known, nil
	}
	if ok, err := read(); err != nil || !ok {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// What was read from a file that was replaced meanwhile is of this reader alone.
	if s, ok := j.segmentAt(r.Position); ok && s.generation == generation {
		r.journal = j
		j.shared[r.Position] = r
	}
	return r, nil
}

// unshare forgets a record that nobody holds any more.
func (j *Journal) unshare(r *Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.shared[r.Position] == r {
		delete(j.shared, r.Position)
	}
}

// revive adds an owner unless there is none left.
func (r *Record) revive() bool {
	for {
		refs := r.refs.Load()
		if refs <= 0 {
			return false
		}
		if r.refs.CompareAndSwap(refs, refs+1) {
			return true
		}
	}
}
