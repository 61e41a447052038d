package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"treq/telemetry"
	"treq/telemetry/durable"
)

// dataFormat is the format of the data directory as a whole. It grows when a file
// in it changes so that an earlier program would misread it, set it aside as damaged
// or lose a part of it; docs/upgrade.md has the list. Files that carry a version of
// their own are checked by those who read them besides.
const dataFormat = 1

// formatFile is what names the format of a data directory. A directory without one
// is of format 1.
const formatFile = "format.json"

// writtenFormat is the content of formatFile.
type writtenFormat struct {
	Format int `json:"format"`
	// Version is of the program that wrote the format first, for people.
	Version string `json:"version"`
}

// refuseNewer gives an error of kind Unsupported for a data directory of a later
// format, before anything in it is touched. One that does not say its format, since
// the file is damaged, is not refused: what a later version would have changed says so
// itself (docs/upgrade.md), and a flipped bit is no reason not to start.
func refuseNewer(dir string) error {
	written, _, err := readFormat(dir)
	if err != nil || written.Format <= dataFormat {
		return err
	}
	return telemetry.Errorf(telemetry.Unsupported,
		"the data directory %s has format %d, written by treq-telemetry %s, and this program reads formats up to %d: "+
			"start that program or a later one, or name another --data-dir; nothing was changed",
		dir, written.Format, written.Version, dataFormat)
}

// readFormat gives what the directory says of its format, the zero value if it says
// nothing; damaged tells that it has the file, and that the file says nothing.
func readFormat(dir string) (w writtenFormat, damaged bool, err error) {
	content, err := os.ReadFile(filepath.Join(dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return writtenFormat{}, false, nil
	}
	if err != nil {
		return writtenFormat{}, false, err
	}
	if err := json.Unmarshal(content, &w); err != nil || w.Format < 1 {
		return writtenFormat{}, true, nil
	}
	return w, false, nil
}

// markFormat writes the format of this program into a directory that has an earlier
// one or none, and sets a damaged file aside. It is called under the journal's lock, and
// looks again for a later format that came while the lock was waited for.
func markFormat(dir, version string, log *slog.Logger) error {
	if err := refuseNewer(dir); err != nil {
		return err
	}
	path := filepath.Join(dir, formatFile)
	written, damaged, err := readFormat(dir)
	if err != nil || written.Format == dataFormat {
		return err
	}
	if damaged {
		log.Error("the file that names the format of the data directory is damaged and set aside; the directory is read as of this version's format",
			"file", path, "format", dataFormat)
		if err := os.Rename(path, path+".damaged"); err != nil {
			return err
		}
	}
	content, err := json.Marshal(writtenFormat{dataFormat, version})
	if err != nil {
		return err
	}
	if err := durable.WriteFile(path, append(content, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
