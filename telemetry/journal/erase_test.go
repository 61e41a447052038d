package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"treq/telemetry/journal"
)

// stars overwrites all of a sample but its number.
func stars(_ journal.Kind, data []byte) bool {
	changed := false
	for i := 8; i < len(data); i++ {
		changed = changed || data[i] != '*'
		data[i] = '*'
	}
	return changed
}

// standing reads the whole journal and gives, by number, whether a sample was erased.
// It fails the test for one that is neither as it was nor erased.
func standing(t *testing.T, j *journal.Journal) map[uint64]bool {
	t.Helper()
	c := cursor(t, j, "standing", 0, false)
	defer c.Close()
	got := map[uint64]bool{}
	for {
		r, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			return got
		}
		data, err := r.Data()
		if err != nil {
			t.Fatal(err)
		}
		copied := append([]byte(nil), data...)
		if stars(0, copied) {
			got[identify(t, r)] = false
		} else {
			i := uint64(data[7]) | uint64(data[6])<<8
			want := sample(i)
			plain := want.Decoded
			if plain == nil {
				plain = want.Body
			}
			if len(plain) != len(data) || r.Hash != want.Hash || r.Project != want.Project || r.Items != want.Items {
				t.Errorf("sample %d is more than erased", i)
			}
			got[i] = len(plain) > 8
		}
		r.Release()
	}
}

// What is erased is in no file, all else is as it was, at the same positions, in
// sealed segments, in the one appended to, and for readers at the tail.
func TestErase(t *testing.T) {
	t.Parallel()
	for _, ack := range []journal.AckMode{journal.Fsync, journal.Memory} {
		t.Run(fmt.Sprint(ack), func(t *testing.T) {
			dir := t.TempDir()
			o := journal.Options{SegmentBytes: 8 << 10, RingBytes: 16 << 10, Ack: ack}
			j := open(t, dir, o)
			const all = 60
			var erased []journal.Position
			for i := range uint64(all) {
				if r := appendSample(t, j, i); i%4 == 0 || i == all-1 {
					erased = append(erased, r.Position)
				}
			}
			lags := cursor(t, j, "lags", 0, false)
			first, err := lags.TryNext() // its file is open
			if err != nil {
				t.Fatal(err)
			}
			first.Release()
			n, err := j.Erase(t.Context(), append(erased, 1<<40), stars)
			if err != nil || n == 0 {
				t.Fatalf("%d, %v", n, err)
			}
			if again, err := j.Erase(t.Context(), erased, stars); again != 0 || err != nil {
				t.Errorf("again: %d, %v", again, err)
			}
			check := func() {
				t.Helper()
				got := standing(t, j)
				for i := range uint64(all) {
					gone, there := got[i]
					plain := len(sample(i).Body) > 8
					if want := (i%4 == 0 || i == all-1) && plain; !there || gone != want {
						t.Errorf("sample %d: there %v, erased %v", i, there, gone)
					}
				}
			}
			check()
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			for _, name := range files {
				b, err := os.ReadFile(name)
				if err != nil {
					continue // the lock, on some systems
				}
				for i := uint64(4); i < all; i += 4 {
					if body := sample(i).Body; len(body) > 40 && bytes.Contains(b, body) {
						t.Errorf("%s still holds sample %d", name, i)
					}
				}
			}
			for r, err := lags.TryNext(); r != nil || err != nil; r, err = lags.TryNext() {
				if err != nil {
					t.Fatal(err)
				}
				data, _ := r.Data()
				if i := uint64(data[7]); i%4 == 0 && stars(0, append([]byte(nil), data...)) {
					t.Errorf("a reader got sample %d as it was", i)
				}
				r.Release()
			}
			appendSample(t, j, all)
			closeJournal(t, j)
			j = open(t, dir, o)
			check()
			if st := j.Stats(); st.Damaged != 0 {
				t.Errorf("%d damaged", st.Damaged)
			}
		})
	}
}

// The power goes at every call that an erasure makes of the disk: nothing is lost or
// damaged, and what was not erased is erased when it is asked for again.
func TestEraseCutAtEveryCall(t *testing.T) {
	t.Parallel()
	run := func(fsys *brokenFS, cutAt int) (calls int, ended bool) {
		j, err := journal.Open(context.Background(), "/data", crashOptions(fsys, 0))
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close() //nolint:errcheck // the power is cut
		var positions []journal.Position
		for i := range uint64(30) {
			r := appendSample(t, j, i)
			if i%3 == 0 {
				positions = append(positions, r.Position)
			}
		}
		fsys.mu.Lock()
		before := fsys.calls
		if cutAt > 0 {
			fsys.cutAt = before + cutAt
		}
		fsys.mu.Unlock()
		_, err = j.Erase(context.Background(), positions, stars)
		fsys.mu.Lock()
		defer fsys.mu.Unlock()
		return fsys.calls - before, err == nil
	}
	calls, ended := run(newBrokenFS(1), 0)
	if !ended || calls < 10 {
		t.Fatalf("%d calls, %v", calls, ended)
	}
	for cut := 1; cut <= calls; cut++ {
		for _, percent := range []int{0, 50, 100} {
			fsys := newBrokenFS(1)
			run(fsys, cut)
			after := fsys.image(percent, uint64(cut))
			j, err := journal.Open(context.Background(), "/data", crashOptions(after, 0))
			if err != nil {
				t.Fatalf("cut at %d, %d %%: %v", cut, percent, err)
			}
			got := standing(t, j)
			if st := j.Stats(); st.Damaged != 0 || len(got) != 30 {
				t.Errorf("cut at %d, %d %%: %d damaged, %d of 30 records", cut, percent, st.Damaged, len(got))
			}
			for i, gone := range got {
				if gone && i%3 != 0 {
					t.Errorf("cut at %d: sample %d is erased", cut, i)
				}
			}
			closeJournal(t, j)
		}
	}
}
