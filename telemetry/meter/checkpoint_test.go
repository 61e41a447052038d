package meter

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/journal"
)

func example(n byte) *checkpoint {
	return &checkpoint{
		Position: 1000 + 10*10, Admitted: time.Unix(5, 6).UTC(), Written: time.Unix(7, int64(n)).UTC(), Rules: "r",
		Totals: []byte{n, 2}, Engine: []byte{3}, Bounds: []byte{}, Reported: []byte{4, 5, 6},
	}
}

// whole is a checkpoint's file.
func whole(c *checkpoint) []byte {
	var b bytes.Buffer
	_ = c.encode(&b, c.engine) // a buffer takes all
	return b.Bytes()
}

// engine writes the state that the checkpoint holds.
func (c *checkpoint) engine(to io.Writer) error {
	_, err := to.Write(c.Engine)
	return err
}

func (g *generations) store(c *checkpoint) (journal.Position, error) {
	d, err := g.begin(c, c.engine)
	if err != nil {
		return 0, err
	}
	return g.finish(d)
}

// wholeBefore is the file of version 1.
func wholeBefore(c *checkpoint) []byte {
	b := append([]byte(checkpointMagic), 1, 0, 0, 0)
	for _, n := range []uint64{uint64(c.Position), uint64(c.Admitted.UnixNano()), uint64(c.Written.UnixNano())} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for _, s := range [][]byte{[]byte(c.Rules), c.Totals, c.Engine, c.Bounds, c.Reported} {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func TestCheckpointRoundTrip(t *testing.T) {
	want := example(1)
	for version, content := range map[int][]byte{1: wholeBefore(want), 2: whole(want)} {
		got, err := decodeCheckpoint(content)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		got.Admitted, got.Written = got.Admitted.UTC(), got.Written.UTC()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("version %d: %s", version, d)
		}
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
	f.Add(wholeBefore(example(1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCheckpoint(b)
		if err == nil && !cmp.Equal(whole(c), b) && !cmp.Equal(wholeBefore(c), b) {
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
