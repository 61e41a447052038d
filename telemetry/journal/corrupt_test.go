package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"treq/telemetry/journal"
)

// stored is where a sample's frame is.
type stored struct {
	file     string
	from, to int64
}

// Whatever is done to the files, a start succeeds, every record whose bytes were
// not touched is read, and none is altered.
func TestMutatedFiles(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	const records = 120
	j := open(t, source, journal.Options{SegmentBytes: 24 << 10})
	receipts := make([]journal.Receipt, records)
	for i := range uint64(records) {
		receipts[i] = appendSample(t, j, i)
	}
	segments := j.Segments()
	closeJournal(t, j)
	where := make([]stored, records)
	for i, r := range receipts {
		for _, s := range segments {
			if r.Position >= s.Base {
				where[i] = stored{fmt.Sprintf("%016x.seg", uint64(s.Base)), int64(r.Position - s.Base), int64(r.End - s.Base)}
			}
		}
	}
	files := map[string][]byte{}
	for _, s := range segments {
		name := fmt.Sprintf("%016x.seg", uint64(s.Base))
		b, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	if len(files) < 4 {
		t.Fatalf("only %d segments", len(files))
	}
	hits := 0
	const rounds = 400
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 5))
		mutated := maps.Clone(files)
		what := ""
		for range 1 + rng.IntN(3) {
			what += mutate(rng, mutated)
		}
		hits += checkMutated(t, loaded(mutated), what, files, mutated, where)
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, what)
		}
	}
	t.Logf("%d mutated journals, %d records hit", rounds, hits)
}

// checkMutated opens a mutated copy, twice, and gives how many records were hit.
func checkMutated(t *testing.T, fsys journal.FS, what string, files, mutated map[string][]byte, where []stored) int {
	t.Helper()
	hits := 0
	var first map[uint64]journal.Position
	for range 2 {
		j, err := journal.Open(context.Background(), "/data", quiet(journal.Options{FS: fsys, SegmentBytes: 24 << 10}))
		if err != nil {
			t.Errorf("Open: %v", err)
			return 0
		}
		c := cursor(t, j, "all", 0, false)
		got := readAll(t, c)
		hits = 0
		for i, s := range where {
			before, after := files[s.file], mutated[s.file]
			hit := int64(len(after)) < s.to || !bytes.Equal(before[s.from:s.to], after[s.from:s.to])
			if hit {
				hits++
			}
			if _, read := got[uint64(i)]; read == hit {
				t.Errorf("sample %d in %s at %d: hit %v, read %v", i, s.file, s.from, hit, read)
			}
		}
		if first == nil {
			first = got
			// The damage is not in the way of what comes.
			receipt, err := j.Append(context.Background(), sample(1000))
			if err != nil || receipt.Duplicate {
				t.Errorf("append after %s: %+v, %v", what, receipt, err)
			}
			first[1000] = receipt.Position
		} else if !maps.Equal(got, first) {
			t.Errorf("the second start reads %d records, want %d", len(got), len(first))
		}
		closeJournal(t, j)
	}
	return hits
}

// mutate changes one file and tells what it did.
func mutate(rng *rand.Rand, files map[string][]byte) string {
	names := slices.Sorted(maps.Keys(files))
	name := names[rng.IntN(len(names))]
	b := bytes.Clone(files[name])
	at := 0
	if len(b) > 0 {
		at = rng.IntN(len(b))
	}
	length := min(1+rng.IntN(5000), len(b)-at)
	what := ""
	switch kind := rng.IntN(9); {
	case len(b) == 0:
		what = "append to nothing"
		b = randomBytes(rng, 500)
	case kind == 0:
		what = "flip a bit"
		b[at] ^= 1 << rng.IntN(8)
	case kind == 1:
		what = "flip a bit of the header"
		b[rng.IntN(min(96, len(b)))] ^= 1 << rng.IntN(8)
	case kind == 2:
		what = "truncate"
		b = b[:at]
	case kind == 3:
		what = "zero a range"
		clear(b[at : at+length])
	case kind == 4:
		what = "overwrite with noise"
		copy(b[at:at+length], randomBytes(rng, length))
	case kind == 5:
		what = "copy a range over another"
		copy(b[rng.IntN(len(b)):], bytes.Clone(b[at:at+length]))
	case kind == 6:
		what = "swap files"
		other := names[rng.IntN(len(names))]
		files[other], b = b, files[other]
	case kind == 7:
		what = "empty"
		b = nil
	case kind == 8:
		what = "append noise"
		b = append(b, randomBytes(rng, length)...)
	}
	files[name] = b
	return fmt.Sprintf("%s in %s at %d; ", what, name, at)
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// A damaged record in the middle is counted and quarantined once, however many
// readers and starts come by, and the reader knows what it missed.
func TestDamageIsCountedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	var hit journal.Receipt
	for i := range uint64(10) {
		r := appendSample(t, j, i)
		if i == 4 {
			hit = r
		}
	}
	closeJournal(t, j)
	name := filepath.Join(dir, "0000000000000000.seg")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[hit.End-1] ^= 0x10
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := b[hit.Position:hit.End]
	for life := range 2 {
		j := open(t, dir, journal.Options{})
		for _, reader := range []string{"a", "b"} {
			c := cursor(t, j, reader, 0, false)
			if got := readAll(t, c); len(got) != 9 {
				t.Errorf("%s read %v", reader, got)
			}
			if records, items := c.Damaged(); records != 1 || items != uint64(sample(4).Items) {
				t.Errorf("%s missed %d records, %d items", reader, records, items)
			}
		}
		st := j.Stats()
		if st.Damaged != 1 || st.DamagedRecords != 1 || st.DamagedItems != uint64(sample(4).Items) || st.TornBytes != 0 {
			t.Errorf("life %d: stats %+v", life, st)
		}
		q, err := os.ReadFile(filepath.Join(dir, "0000000000000000.quarantine"))
		if err != nil || len(q) != 24+len(bad) || !bytes.Equal(q[24:], bad) {
			t.Errorf("life %d: quarantine file of %d bytes, %v; want the %d damaged ones", life, len(q), err, len(bad))
		}
		closeJournal(t, j)
	}
}

func TestTornTail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	var last journal.Receipt
	for i := range uint64(5) {
		last = appendSample(t, j, i)
	}
	closeJournal(t, j)
	name := filepath.Join(dir, "0000000000000000.seg")
	if err := os.Truncate(name, int64(last.End)-1); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir, journal.Options{})
	if torn := j.Stats().TornBytes; torn != int64(last.End-last.Position)-1 {
		t.Errorf("%d bytes torn, want %d", torn, last.End-last.Position-1)
	}
	c := cursor(t, j, "all", 0, false)
	if got := readAll(t, c); len(got) != 4 {
		t.Errorf("read %v", got)
	}
	if r := appendSample(t, j, 4); r.Duplicate || r.Position <= last.Position {
		t.Errorf("what was torn, again: %+v", r)
	}
	if got := readAll(t, c); len(got) != 1 {
		t.Errorf("read %v", got)
	}
}
