package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"testing"

	"treq/telemetry/journal"
)

// letters are checkpoints of states of letters, the later in the alphabet the later.
func letters() Kind {
	return Kind{
		Name: "letters", Magic: "TREQTEST", Version: 2,
		Read: func(s *Saved) error {
			if strings.ContainsRune(string(s.State), '?') {
				return errors.New("not a letter")
			}
			return nil
		},
		Later: func(a, b *Saved) bool { return bytes.Compare(a.State, b.State) > 0 },
	}
}

// file is a checkpoint's file, put together by hand.
func file(magic string, version uint32, at uint64, state string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(magic), version)
	b = binary.LittleEndian.AppendUint64(b, at)
	b = append(b, state...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func store(t *testing.T, g *Generations, at journal.Position, state string) journal.Position {
	t.Helper()
	d, err := g.Begin(at, func(w io.Writer) error {
		for i := range state {
			if _, err := io.WriteString(w, state[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	keep, err := g.Finish(d)
	if err != nil {
		t.Fatal(err)
	}
	return keep
}

// The journal is kept from the older of two generations on, and from its beginning
// while there are not two.
func TestGenerationsAreWrittenInTurn(t *testing.T) {
	g := New(t.TempDir(), letters())
	for i, step := range []struct {
		at, keep journal.Position
		file     int
	}{{100, 0, 0}, {150, 100, 1}, {150, 150, 0}, {400, 150, 1}} {
		if keep := store(t, g, step.at, "abc"); keep != step.keep || g.Oldest() != keep {
			t.Errorf("%d: the journal is kept from %d, want %d", i, keep, step.keep)
		}
		got, err := os.ReadFile(g.Path(step.file))
		if want := file("TREQTEST", 2, uint64(step.at), "abc"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d: %s holds %q, %v, want %q", i, g.Path(step.file), got, err, want)
		}
	}
	if left, err := os.ReadDir(g.dir); err != nil || len(left) != 2 {
		t.Errorf("%v, %v are left", left, err)
	}
}

func TestLoad(t *testing.T) {
	const magic = "TREQTEST"
	a, b := file(magic, 2, 100, "a"), file(magic, 2, 200, "b")
	for name, test := range map[string]struct {
		files   [2][]byte
		state   string // "" for none
		damaged int
		next    int
		oldest  journal.Position
		newer   bool
	}{
		"nothing":            {},
		"one":                {files: [2][]byte{a, nil}, state: "a", next: 1},
		"two":                {files: [2][]byte{a, b}, state: "b", oldest: 100},
		"two the other way":  {files: [2][]byte{b, a}, state: "b", next: 1, oldest: 100},
		"at one position":    {files: [2][]byte{file(magic, 2, 100, "z"), a}, state: "z", next: 1, oldest: 100},
		"of an old version":  {files: [2][]byte{file(magic, 1, 300, "o"), b}, state: "o", next: 1, oldest: 200},
		"the newer damaged":  {files: [2][]byte{a, append([]byte("x"), b[1:]...)}, state: "a", damaged: 1, next: 1},
		"the newer cut":      {files: [2][]byte{a, b[:len(b)-1]}, state: "a", damaged: 1, next: 1},
		"the newer unread":   {files: [2][]byte{a, file(magic, 2, 200, "?")}, state: "a", damaged: 1, next: 1},
		"another's":          {files: [2][]byte{a, file("TREQELSE", 2, 200, "b")}, state: "a", damaged: 1, next: 1},
		"both damaged":       {files: [2][]byte{{}, b[1:]}, damaged: 2},
		"the newer of later": {files: [2][]byte{a, file(magic, 3, 200, "b")}, newer: true},
		"the older of later": {files: [2][]byte{file(magic, 3, 50, "?"), b}, newer: true},
		"of no version":      {files: [2][]byte{file(magic, 0, 50, "a"), nil}, newer: true},
	} {
		t.Run(name, func(t *testing.T) {
			g := New(t.TempDir(), letters())
			for i, content := range test.files {
				if content == nil {
					continue
				}
				if err := os.WriteFile(g.Path(i), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s, damaged, err := g.Load()
			if errors.Is(err, ErrNewer) != test.newer || (err != nil) != test.newer {
				t.Fatalf("Load: %v", err)
			}
			if test.newer {
				return
			}
			state := ""
			if s != nil {
				state = string(s.State)
			}
			if state != test.state || len(damaged) != test.damaged || g.Oldest() != test.oldest {
				t.Errorf("%q, %v, kept from %d", state, damaged, g.Oldest())
			}
			// What is whole is not written over.
			if g.next != test.next {
				t.Errorf("%d is written next, want %d", g.next, test.next)
			}
		})
	}
}

// A disk that refuses leaves both generations as they were.
func TestAWriteThatFails(t *testing.T) {
	g := New(t.TempDir(), letters())
	store(t, g, 100, "a")
	store(t, g, 200, "b")
	full := errors.New("no space left")
	if _, err := g.Begin(300, func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return full }); !errors.Is(err, full) {
		t.Errorf("Begin: %v", err)
	}
	d, err := g.Begin(300, func(io.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Finish(d); err == nil {
		t.Error("Finish: no error of a file that cannot be synced")
	}
	again := New(g.dir, letters())
	if s, damaged, err := again.Load(); err != nil || len(damaged) > 0 || string(s.State) != "b" || again.Oldest() != 100 {
		t.Errorf("%+v, %v, %v", s, damaged, err)
	}
	if keep := store(t, g, 400, "c"); keep != 200 {
		t.Errorf("kept from %d", keep)
	}
}

// TestEveryDamageIsSeen: no bit and no end of a file goes unnoticed.
func TestEveryDamageIsSeen(t *testing.T) {
	kind := letters()
	whole := file("TREQTEST", 2, 100, "state")
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x40
		if _, err := kind.decode(damaged); err == nil {
			t.Errorf("byte %d flipped: no error", i)
		}
		if _, err := kind.decode(whole[:i]); err == nil {
			t.Errorf("cut to %d bytes: no error", i)
		}
	}
}

// FuzzDecode: what decodes encodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add(file("TREQTEST", 2, 100, "state"), false)
	f.Add(file("TREQTEST", 3, 1, ""), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if n := len(b) - sumSize; seal && n >= magicSize {
			copy(b, "TREQTEST")
			binary.LittleEndian.PutUint32(b[n:], crc32.Checksum(b[:n], castagnoli))
		}
		kind := letters()
		s, err := kind.decode(b)
		if err != nil {
			return
		}
		kind.Version = s.Version
		var again bytes.Buffer
		if err := kind.encode(&again, s.Position, func(w io.Writer) error { _, err := w.Write(s.State); return err }); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("%q encodes to %q, %v", b, again.Bytes(), err)
		}
	})
}
