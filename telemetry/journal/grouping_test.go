package journal_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
)

// slowFS takes some time for every Sync of a file created through it.
type slowFS struct {
	*brokenFS
	takes time.Duration
}

func (s slowFS) Create(name string) (journal.File, error) {
	f, err := s.brokenFS.Create(name)
	return slowFile{f, s.takes}, err
}

type slowFile struct {
	journal.File
	takes time.Duration
}

func (f slowFile) Sync() error {
	time.Sleep(f.takes)
	return f.File.Sync()
}

// onSlowDisk runs a test with a journal whose fsync takes a millisecond.
func onSlowDisk(t *testing.T, run func(t *testing.T, j *journal.Journal)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := crashOptions(nil, 64<<20)
		o.SegmentBytes = 16 << 20 // none ends within a test
		o.FS = slowFS{newBrokenFS(1), time.Millisecond}
		run(t, open(t, "/data", o))
	})
}

// timed appends a sample and gives what that took.
func timed(t *testing.T, j *journal.Journal, i uint64) time.Duration {
	began := time.Now()
	appendSample(t, j, i)
	return time.Since(began)
}

func TestClientsThatComeBackShareCommits(t *testing.T) {
	onSlowDisk(t, func(t *testing.T, j *journal.Journal) {
		const clients, each = 4, 200
		var all sync.WaitGroup
		for client := range clients {
			all.Go(func() {
				for i := range each {
					appendSample(t, j, uint64(client*each+i))
					time.Sleep(time.Duration(client+1) * 300 * time.Microsecond)
				}
			})
		}
		all.Wait()
		// Without a wait they come in two groups, so that it is twice as many.
		if stats := j.Stats(); stats.Appended != clients*each || stats.Batches > each*5/4 {
			t.Errorf("%d entries in %d commits, want hardly more than %d", stats.Appended, stats.Batches, each)
		}
	})
}

func TestAClientAloneIsNotHeldUp(t *testing.T) {
	onSlowDisk(t, func(t *testing.T, j *journal.Journal) {
		appendSample(t, j, 0) // makes the segment
		for i := range uint64(100) {
			if took := timed(t, j, i+1); took != time.Millisecond {
				t.Fatalf("entry %d took %v", i, took)
			}
			time.Sleep(time.Duration(i) * 100 * time.Microsecond)
		}
	})
}

func TestWhoDoesNotComeBackIsNotWaitedFor(t *testing.T) {
	onSlowDisk(t, func(t *testing.T, j *journal.Journal) {
		const rounds = 1000
		began := time.Now()
		for i := range uint64(rounds) {
			// Two come at once and go for good; one comes within the time in which they might
			// come back.
			var both sync.WaitGroup
			both.Go(func() { appendSample(t, j, 3*i) })
			both.Go(func() { appendSample(t, j, 3*i+1) })
			both.Wait()
			time.Sleep(2 * time.Millisecond)
			appendSample(t, j, 3*i+2)
			time.Sleep(time.Second)
		}
		commits := time.Duration(j.Stats().Batches) * time.Millisecond
		waited := time.Since(began) - rounds*1002*time.Millisecond - commits
		if waited <= 0 || waited > rounds*time.Millisecond { // a thousandth of the time
			t.Errorf("they were waited for %v in %d rounds", waited, rounds)
		}
	})
}

func TestAWaitEndsAtAStop(t *testing.T) {
	onSlowDisk(t, func(t *testing.T, j *journal.Journal) {
		var both sync.WaitGroup
		both.Go(func() { appendSample(t, j, 0) })
		both.Go(func() { appendSample(t, j, 1) })
		both.Wait()
		began := time.Now()
		both.Go(func() { appendSample(t, j, 2) })
		synctest.Wait()
		closeJournal(t, j)
		both.Wait()
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("a stop while a commit waited took %v", took)
		}
		if n := j.Stats().Appended; n != 3 {
			t.Errorf("%d of 3 entries were stored", n)
		}
	})
}
