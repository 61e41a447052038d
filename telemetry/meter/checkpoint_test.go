package meter

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/checkpoint"
	"treq/telemetry/journal"
)

func example(n byte) *state {
	return &state{
		Position: 1000 + 10*10, Admitted: time.Unix(5, 6).UTC(), Written: time.Unix(7, int64(n)).UTC(), Rules: "r",
		Totals: []byte{n, 2}, Engine: []byte{3}, Bounds: []byte{}, Reported: []byte{4, 5, 6},
	}
}

// encoded is the state as it is written.
func encoded(s *state) []byte {
	var b bytes.Buffer
	_ = s.encode(&b, func(to io.Writer) error { _, err := to.Write(s.Engine); return err }) // a buffer takes all
	return b.Bytes()
}

// byHand is the state in a version's format, put together by hand.
func byHand(s *state, version int) []byte {
	var b []byte
	for _, at := range []time.Time{s.Admitted, s.Written} {
		b = binary.LittleEndian.AppendUint64(b, uint64(at.UnixNano()))
	}
	sections := [][]byte{[]byte(s.Rules), s.Totals, s.Engine, s.Bounds, s.Reported}
	if version > 1 {
		sections = [][]byte{[]byte(s.Rules), s.Totals, s.Bounds, s.Reported}
	}
	for _, section := range sections {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(section))), section...)
	}
	if version > 1 {
		b = append(b, s.Engine...)
	}
	return b
}

func TestStateRoundTrip(t *testing.T) {
	want := example(1)
	if got := encoded(want); !bytes.Equal(got, byHand(want, stateVersion)) {
		t.Errorf("%x is written, want %x", got, byHand(want, stateVersion))
	}
	for version := 1; version <= stateVersion; version++ {
		got, err := decodeState(&checkpoint.Saved{Version: uint32(version), Position: want.Position, State: byHand(want, version)})
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		got.Admitted, got.Written = got.Admitted.UTC(), got.Written.UTC()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("version %d: %s", version, d)
		}
	}
}

// Of two states at one position the later written has seen more timers fire.
func TestTheLaterOfTwoStatesAtOnePosition(t *testing.T) {
	for _, order := range [][2]byte{{1, 2}, {2, 1}} {
		dir := t.TempDir()
		g := generations(dir)
		for _, n := range order {
			d, err := g.Begin(1100, func(w io.Writer) error { _, err := w.Write(encoded(example(n))); return err })
			if err == nil {
				_, err = g.Finish(d)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		saved, damaged, err := generations(dir).Load()
		if err != nil || len(damaged) > 0 {
			t.Fatal(damaged, err)
		}
		if s, err := decodeState(saved); err != nil || s.Totals[0] != 2 {
			t.Errorf("written in the order %v: %v, %v", order, s, err)
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	for version := 1; version <= stateVersion; version++ {
		f.Add(byHand(example(1), version), version == 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, old bool) {
		version := stateVersion
		if old {
			version = 1
		}
		s, err := decodeState(&checkpoint.Saved{Version: uint32(version), State: b})
		// Behind the sections of version 1 nothing is read.
		if err == nil && !bytes.HasPrefix(b, byHand(s, version)) {
			t.Error("a state that decodes does not encode to the same")
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
		// Behind eight bytes of magic and four of the version.
		if at := journal.Position(binary.LittleEndian.Uint64(content[12:])); at != end {
			t.Errorf("%s stands at %d, want %d", path, at, end)
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
