package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
// format, before anything in it is touched.
func refuseNewer(dir string) error {
	written, err := readFormat(dir)
	if err != nil || written.Format <= dataFormat {
		return err
	}
	return telemetry.Errorf(telemetry.Unsupported,
		"the data directory %s has format %d, written by treq-telemetry %s, and this program reads formats up to %d: "+
			"start that program or a later one, or name another --data-dir; nothing was changed",
		dir, written.Format, written.Version, dataFormat)
}

func readFormat(dir string) (writtenFormat, error) {
	path := filepath.Join(dir, formatFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writtenFormat{}, nil
	}
	if err != nil {
		return writtenFormat{}, err
	}
	var w writtenFormat
	if err := json.Unmarshal(content, &w); err != nil || w.Format < 1 {
		// Nothing writes this file but a program that knew its format: a guess could
		// cost data, a look costs a minute.
		return writtenFormat{}, telemetry.Errorf(telemetry.Internal,
			"%s does not say which format the data directory has; if no later version than this one ever ran here, remove the file", path)
	}
	return w, nil
}

// markFormat writes the format of this program into a directory that has an earlier
// one or none. It is called under the journal's lock, and looks again for a later
// one that came while the lock was waited for.
func markFormat(dir, version string) error {
	if err := refuseNewer(dir); err != nil {
		return err
	}
	if written, err := readFormat(dir); err != nil || written.Format == dataFormat {
		return err
	}
	content, err := json.Marshal(writtenFormat{dataFormat, version})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, formatFile)
	if err := durable.WriteFile(path, append(content, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
