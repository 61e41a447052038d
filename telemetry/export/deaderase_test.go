package export

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/journal"
)

// starred overwrites a word wherever it stands.
func starred(word string) func(journal.Kind, []byte) bool {
	return func(_ journal.Kind, payload []byte) (some bool) {
		for {
			at := bytes.Index(payload, []byte(word))
			if at < 0 {
				return some
			}
			copy(payload[at:], strings.Repeat("*", len(word)))
			some = true
		}
	}
}

func TestEraseDeadLetters(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sinks"), 0o700); err != nil {
		t.Fatal(err)
	}
	open := func(name string) *deadLetters {
		d, err := openDeadLetters(filepath.Join(dir, "sinks", name+deadSuffix), 4000)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	letter := func(encoding, payload string) deadLetter {
		return deadLetter{Reason: "refused", Spans: 1, Position: 7, Encoding: encoding, Payload: []byte(payload), PayloadBytes: len(payload)}
	}
	filler := letter("", strings.Repeat("x", 400))
	sink, gone := open("sink"), open("gone")
	// The first ones are in the older half.
	written := []deadLetter{letter("", "a secret"), filler, filler, filler, letter(encodingRuns, "secret secret"), letter("raw", "no word"), {Reason: "too large"}, letter("", "nothing")}
	if err := sink.write(written); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(sink.path + olderSuffix); err != nil {
		t.Fatal(err)
	}
	if err := gone.write([]deadLetter{letter("", "his secret")}); err != nil {
		t.Fatal(err)
	}
	const torn = `{"reason":"torn","payl`
	file, err := sink.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(torn); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}

	set := &Set{dir: dir, sinks: []*Sink{{dead: sink}}}
	kinds := map[journal.Kind]int{}
	// A crash left it, and nobody opens the sink any more.
	left := gone.path + freshSuffix
	if err := os.WriteFile(left, []byte("his secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := set.EraseDeadLetters(t.Context(), func(kind journal.Kind, payload []byte) bool {
		kinds[kind]++
		return false
	})
	if want := map[journal.Kind]int{journal.Traces: 6, journal.Runs: 1}; n != 0 || err != nil || !cmp.Equal(kinds, want) {
		t.Errorf("looked at: %d, %v, %v", n, err, kinds)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a crash left is there: %v", err)
	}
	if n, err := set.EraseDeadLetters(t.Context(), starred("secret")); n != 3 || err != nil {
		t.Errorf("%d erased, %v", n, err)
	}
	if n, err := set.EraseDeadLetters(t.Context(), starred("secret")); n != 0 || err != nil {
		t.Errorf("again: %d erased, %v", n, err)
	}
	content, err := os.ReadFile(sink.path)
	if err != nil || !strings.HasSuffix(string(content), torn) || int64(len(content)) != sink.size {
		t.Errorf("%d bytes, of which the sink says %d, %v: %s", len(content), sink.size, err, content)
	}
	if err := os.WriteFile(sink.path, bytes.TrimSuffix(content, []byte(torn)), 0o600); err != nil {
		t.Fatal(err)
	}
	written[0].Payload, written[4].Payload = []byte("a ******"), []byte("****** ******")
	if diff := cmp.Diff(written, readLetters(t, &stand{dir: dir}, "sink")); diff != "" {
		t.Errorf("the sink's (-want +got):\n%s", diff)
	}
	if got := readLetters(t, &stand{dir: dir}, "gone"); len(got) != 1 || string(got[0].Payload) != "his ******" {
		t.Errorf("one that is configured no more: %+v", got)
	}
	// It goes on where it was.
	if err := sink.write([]deadLetter{filler}); err != nil {
		t.Fatal(err)
	}
}

// A sink without a directory, or without dead letters, has nothing to erase; what
// cannot be written again is told, and stays as it was.
func TestEraseDeadLettersFails(t *testing.T) {
	dir := t.TempDir()
	set := &Set{dir: dir}
	if n, err := set.EraseDeadLetters(t.Context(), starred("secret")); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	path := filepath.Join(dir, "sinks", "sink"+deadSuffix)
	if err := os.MkdirAll(path+freshSuffix+"/in the way", 0o700); err != nil {
		t.Fatal(err)
	}
	d := &deadLetters{path: path, bound: 1000}
	if err := d.write([]deadLetter{{Payload: []byte("secret")}}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := set.EraseDeadLetters(t.Context(), starred("secret")); n != 0 || telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("%d, %v", n, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := set.EraseDeadLetters(ended, starred("secret")); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("%s, %v", after, err)
	}
	// What a crash left of a file goes when the sink opens it.
	if err := os.RemoveAll(path + freshSuffix); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+freshSuffix, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDeadLetters(path, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + freshSuffix); !os.IsNotExist(err) {
		t.Error(err)
	}
}
