package journal_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
)

// countingFS counts what is read from files.
type countingFS struct {
	slowFS
	reads *atomic.Int64
}

func (c countingFS) Open(name string) (journal.File, error) {
	f, err := c.slowFS.Open(name)
	return countingFile{f, c.reads}, err
}

type countingFile struct {
	journal.File
	reads *atomic.Int64
}

func (f countingFile) ReadAt(b []byte, offset int64) (int, error) {
	f.reads.Add(1)
	return f.File.ReadAt(b, offset)
}

// withSlowReader runs a test with a journal whose ring holds some hundred entries.
func withSlowReader(t *testing.T, essential bool, run func(t *testing.T, j *journal.Journal, c *journal.Cursor, reads *atomic.Int64)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		o := crashOptions(nil, 64<<20)
		o.SegmentBytes, o.RingBytes = 16<<20, 128<<10
		o.FS = countingFS{slowFS{newBrokenFS(1), 100 * time.Microsecond}, &reads}
		j := open(t, "/data", o)
		c, err := j.NewCursor("slow", 0, essential)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		reads.Store(0)
		run(t, j, c, &reads)
	})
}

// flood appends from four clients that have always more, while the cursor's reader
// takes some time for each entry.
func flood(t *testing.T, j *journal.Journal, c *journal.Cursor, each int, takes time.Duration) {
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			for i := range each {
				appendSample(t, j, uint64(client*each+i))
			}
		})
	}
	for range 4 * each {
		r, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(takes)
		r.Release()
	}
	clients.Wait()
}

// Who counts is waited for before the ring loses what it has not read, as long as
// it moves.
func TestWhoCountsStaysInTheRing(t *testing.T) {
	withSlowReader(t, true, func(t *testing.T, j *journal.Journal, c *journal.Cursor, reads *atomic.Int64) {
		flood(t, j, c, 500, 200*time.Microsecond)
		if n := reads.Load(); n != 0 {
			t.Errorf("the disk was read %d times", n)
		}
	})
}

// Who has fallen behind the ring comes back to it.
func TestWhoCountsComesBack(t *testing.T) {
	withSlowReader(t, true, func(t *testing.T, j *journal.Journal, c *journal.Cursor, reads *atomic.Int64) {
		for i := range uint64(110) {
			appendSample(t, j, 1_000_000+i)
		}
		go func() { // it goes on for ever
			for i := uint64(0); t.Context().Err() == nil; i++ {
				_, _ = j.Append(t.Context(), sample(i))
			}
		}()
		for i := range 4000 {
			r, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Microsecond)
			r.Release()
			if i == 2000 {
				if reads.Load() == 0 {
					t.Error("it never was behind")
				}
				reads.Store(0)
			}
		}
		if n := reads.Load(); n != 0 {
			t.Errorf("the disk was still read %d times", n)
		}
	})
}

// Others are not waited for.
func TestSinksAreNotWaitedFor(t *testing.T) {
	withSlowReader(t, false, func(t *testing.T, j *journal.Journal, c *journal.Cursor, reads *atomic.Int64) {
		began := time.Now()
		flood(t, j, c, 500, 200*time.Microsecond)
		if reads.Load() == 0 {
			t.Errorf("the disk was not read in %v: the reader was not slow", time.Since(began))
		}
	})
}

// A reader that stands still holds up nobody for long.
func TestWhoCountsStandsStill(t *testing.T) {
	withSlowReader(t, true, func(t *testing.T, j *journal.Journal, c *journal.Cursor, reads *atomic.Int64) {
		began := time.Now()
		for i := range uint64(2000) {
			appendSample(t, j, i)
		}
		if took := time.Since(began); took > 600*time.Millisecond { // 200 ms of fsyncs
			t.Errorf("2000 entries took %v", took)
		}
		for range 2000 {
			r, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r.Release()
		}
	})
}
