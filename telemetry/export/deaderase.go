package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"treq/telemetry"
	"treq/telemetry/durable"
	"treq/telemetry/journal"
)

// freshSuffix is behind the name of a dead-letter file that takes another's place.
const freshSuffix = ".new"

// EraseDeadLetters gives blank each request that lies in a dead-letter file, also of
// sinks that are configured no more: an ExportTraceServiceRequest as journal.Traces, a
// body of LangSmith's run protocol as journal.Runs. blank may change it in place,
// keeping its length, and says whether it did; it may be told the same request twice.
// A record that nobody could read, and a line that a crash tore, are passed over.
//
// When it returns, no file has what was changed, and a crash leaves each file as it was
// or changed as a whole. It gives how many requests it changed. A sink writes no dead
// letters meanwhile. Errors are of kind Unavailable, or ctx's.
func (s *Set) EraseDeadLetters(ctx context.Context, blank func(kind journal.Kind, payload []byte) bool) (changed int, err error) {
	ours := map[string]*deadLetters{}
	for _, sink := range s.sinks {
		ours[sink.dead.path] = sink.dead
	}
	for _, path := range deadLetterFiles(s.dir) {
		d := ours[path]
		if d == nil {
			d = &deadLetters{path: path}
		}
		n, err := d.erase(ctx, blank)
		changed += n
		switch {
		case ctx.Err() != nil:
			return changed, ctx.Err()
		case err != nil:
			return changed, &telemetry.Error{Kind: telemetry.Unavailable, Message: "cannot erase: dead letters cannot be written again", Err: err}
		}
	}
	return changed, nil
}

// deadLetterFiles gives the names of all dead-letter files, without those of their
// older halves.
func deadLetterFiles(dir string) []string {
	entries, _ := os.ReadDir(filepath.Join(dir, "sinks")) // without sinks there is none
	var paths []string
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), olderSuffix); strings.HasSuffix(name, deadSuffix) {
			paths = append(paths, filepath.Join(dir, "sinks", name))
		}
	}
	return slices.Compact(paths)
}

// erase is EraseDeadLetters for one sink.
func (d *deadLetters) erase(ctx context.Context, blank func(kind journal.Kind, payload []byte) bool) (changed int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range []string{d.path + olderSuffix, d.path} {
		n, err := eraseLetters(ctx, path, blank)
		changed += n
		if err != nil {
			return changed, err
		}
	}
	info, err := os.Stat(d.path)
	if err == nil {
		d.size = info.Size()
	}
	return changed, ignoreMissing(err)
}

// eraseLetters writes a file again in which something is to be changed.
func eraseLetters(ctx context.Context, path string, blank func(kind journal.Kind, payload []byte) bool) (changed int, err error) {
	// A crash left it, with what others were to be left.
	if err := ignoreMissing(os.Remove(path + freshSuffix)); err != nil {
		return 0, err
	}
	err = eachLetter(ctx, path, func(_ []byte, l *deadLetter) error {
		if l.blank(blank) {
			changed++
		}
		return nil
	})
	if err != nil || changed == 0 {
		return 0, ignoreMissing(err)
	}
	fresh, err := os.OpenFile(path+freshSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriter(fresh)
	err = eachLetter(ctx, path, func(line []byte, l *deadLetter) error {
		if l.blank(blank) {
			var err error
			if line, err = json.Marshal(l); err != nil {
				return err
			}
			line = append(line, '\n')
		}
		_, err := w.Write(line)
		return err
	})
	if err = errors.Join(err, w.Flush(), fresh.Sync(), fresh.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(path+freshSuffix))
	}
	return changed, durable.Rename(path+freshSuffix, path)
}

// blank changes the letter's request; false for one that cannot be read.
func (l *deadLetter) blank(blank func(kind journal.Kind, payload []byte) bool) bool {
	switch {
	case l == nil || len(l.Payload) == 0:
		return false
	case l.Encoding == "":
		return blank(journal.Traces, l.Payload)
	case l.Encoding == encodingRuns:
		return blank(journal.Runs, l.Payload)
	}
	return false
}

// eachLetter tells the lines of a file, and the letter that each is, nil if none.
func eachLetter(ctx context.Context, path string, see func(line []byte, l *deadLetter) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // nothing was written to it
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			l := &deadLetter{}
			if json.Unmarshal(line, l) != nil {
				l = nil
			}
			if err := errors.Join(ctx.Err(), see(line, l)); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
