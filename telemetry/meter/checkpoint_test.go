package meter

import (
	"bytes"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func example(n byte) *checkpoint {
	return &checkpoint{
		Position: 1000 + 10*10, Admitted: time.Unix(5, 6).UTC(), Written: time.Unix(7, int64(n)).UTC(), Rules: "r",
		Totals: []byte{n, 2}, Engine: []byte{3}, Bounds: []byte{}, Reported: []byte{4, 5, 6},
	}
}

// whole is a checkpoint's file.
func whole(c *checkpoint) []byte { return bytes.Join(c.encode(), nil) }

func TestCheckpointRoundTrip(t *testing.T) {
	want := example(1)
	got, err := decodeCheckpoint(whole(want))
	if err != nil {
		t.Fatal(err)
	}
	got.Admitted, got.Written = got.Admitted.UTC(), got.Written.UTC()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestEveryDamageToACheckpointIsSeen(t *testing.T) {
	content := whole(example(1))
	for i := range content {
		damaged := append([]byte(nil), content...)
		damaged[i] ^= 0x40
		if _, err := decodeCheckpoint(damaged); err == nil {
			t.Fatalf("byte %d flipped: no error", i)
		}
		if _, err := decodeCheckpoint(content[:i]); err == nil {
			t.Fatalf("cut to %d bytes: no error", i)
		}
	}
}

func TestTheOlderGenerationServesWhenTheNewerIsDamaged(t *testing.T) {
	g := generations{dir: t.TempDir()}
	older, newer := example(1), example(2)
	newer.Position += 50
	if keep, err := g.store(older); err != nil || keep != 0 {
		t.Fatalf("first store keeps from %d, %v; want everything kept", keep, err)
	}
	if keep, err := g.store(newer); err != nil || keep != older.Position {
		t.Fatalf("second store keeps from %d, %v; want %d", keep, err, older.Position)
	}
	if err := os.WriteFile(g.path(1), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := generations{dir: g.dir}
	c, damaged, err := again.load()
	if err != nil || len(damaged) != 1 || c == nil || c.Position != older.Position {
		t.Fatalf("load = %v, %v, %v", c, damaged, err)
	}
	if again.next != 1 {
		t.Error("the next checkpoint would overwrite the one that is whole")
	}
}

func FuzzDecodeCheckpoint(f *testing.F) {
	f.Add(whole(example(1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCheckpoint(b)
		if err == nil && !cmp.Equal(whole(c), b) {
			t.Error("a checkpoint that decodes does not encode to the same")
		}
	})
}

// Once nothing comes any more, both generations stand at the end: the older one
// would hold back what a journal at its bound has to let go.
func TestCheckpointsCatchUpWhileIdle(t *testing.T) { synctest.Test(t, checkpointsCatchUpWhileIdle) }

func checkpointsCatchUpWhileIdle(t *testing.T) {
	h := newHouse(t)
	h.start(true, time.Second)
	end := h.append(chat(1)).End
	time.Sleep(time.Minute)
	synctest.Wait()
	written := h.generations()
	for path, content := range written {
		c, err := decodeCheckpoint(content)
		if err != nil {
			t.Fatal(err)
		}
		if c.Position != end {
			t.Errorf("%s stands at %d, want %d", path, c.Position, end)
		}
	}
	if len(written) != 2 {
		t.Errorf("%d generations", len(written))
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	if diff := cmp.Diff(written, h.generations()); diff != "" {
		t.Error("checkpoints are written although nothing came")
	}
}
