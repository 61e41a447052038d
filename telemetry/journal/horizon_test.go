package journal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
)

func TestDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fsys := newBrokenFS(1)
		o := crashOptions(fsys, 1<<20)
		o.Now = time.Now
		j := open(t, "/data", o)
		first := appendSample(t, j, 1)
		time.Sleep(14 * time.Minute)
		other := sample(1)
		other.Check = 99
		r, err := j.Append(t.Context(), other)
		want := first
		want.Duplicate = true
		if err != nil || r != want {
			t.Errorf("within the horizon: %+v, %v, want %+v", r, err, want)
		}
		none := sample(2)
		none.Hash = [16]byte{}
		for range 2 {
			if r, err := j.Append(t.Context(), none); err != nil || r.Duplicate {
				t.Errorf("without a hash: %+v, %v", r, err)
			}
		}
		closeJournal(t, j)

		// It survives a restart, up to its end.
		j = open(t, "/data", o)
		if r := appendSample(t, j, 1); r != want {
			t.Errorf("after a restart: %+v, want %+v", r, want)
		}
		time.Sleep(time.Minute + time.Second)
		if r := appendSample(t, j, 1); r.Duplicate {
			t.Errorf("behind the horizon: %+v", r)
		}
		closeJournal(t, j)
		time.Sleep(time.Hour)
		j = open(t, "/data", o)
		if n := j.Stats().Hashes; n != 0 {
			t.Errorf("%d hashes an hour later", n)
		}
	})
}

func TestHorizonIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	o := crashOptions(newBrokenFS(1), 1<<20)
	o.HorizonBytes = 10 * 160
	j := open(t, "/data", o)
	for i := range uint64(3000) {
		e := &journal.Entry{Kind: journal.Logs, Body: []byte("x"), Hash: sample(i).Hash}
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if st := j.Stats(); st.Hashes != 10 || st.HashesCut != 2990 {
		t.Errorf("%d hashes, %d cut", st.Hashes, st.HashesCut)
	}
	if r := appendSample(t, j, 2999); !r.Duplicate {
		t.Error("the newest hash was forgotten")
	}
}
