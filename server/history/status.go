package history

import (
	"os"
	"path/filepath"
	"time"
)

// Status is how the history is doing.
type Status struct {
	Series      int    // of the newest sampling
	Samplings   uint64 // stored since the start
	Samples     uint64
	Skipped     uint64 // samplings that could not be stored
	Quarantined uint64 // databases that were damaged and set aside
	Bytes       int64  // on disk
	// Ahead is how far Now is ahead of the machine's clock, since that was set back.
	Ahead time.Duration
	// Remote write: samples that were taken, that found no place while they waited, and
	// that were refused; requests that were tried again; bytes that wait.
	Sent, Dropped, Refused, Retried uint64
	WaitingBytes                    int64
}

// Status tells how the history is doing.
func (s *Store) Status() Status {
	s.sampler.mu.Lock()
	st := Status{Series: s.sampler.count}
	s.sampler.mu.Unlock()
	st.Samplings, st.Samples = s.stats.steps.Load(), s.stats.samples.Load()
	st.Skipped, st.Quarantined = s.stats.skipped.Load(), s.stats.quarantined.Load()
	st.Bytes, st.Ahead = s.bytes(), s.clock.lead()
	if w := s.writer; w != nil {
		st.Sent, st.Dropped, st.Refused, st.Retried = w.sent.Load(), w.dropped.Load(), w.refused.Load(), w.retried.Load()
		_, st.WaitingBytes = w.waiting()
	}
	return st
}

// bytes is what the database's files take. Files that go meanwhile count for nothing.
func (s *Store) bytes() (total int64) {
	for _, b := range s.db.Blocks() {
		total += b.Size()
	}
	for _, part := range []string{"wal", "chunks_head"} {
		files, err := os.ReadDir(filepath.Join(s.o.Dir, part))
		if err != nil {
			continue
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil && info.Mode().IsRegular() {
				total += info.Size()
			}
		}
	}
	return total
}
