package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"treq/telemetry/journal"
)

// deadLetter is one line of a dead-letter file: a request that the sink will
// never take, and why.
type deadLetter struct {
	Time     time.Time        `json:"time"`
	Reason   string           `json:"reason"`
	Status   int              `json:"status,omitempty"` // HTTP, if answered
	Spans    int64            `json:"spans"`
	Project  string           `json:"project,omitempty"`
	Tenant   string           `json:"tenant,omitempty"`
	Position journal.Position `json:"position"` // of the record in the journal
	// Encoding is "" for an ExportTraceServiceRequest, "raw" for a record that
	// could not be read and lies here as it was stored, "runs" for a body of
	// LangSmith's run protocol.
	Encoding string `json:"encoding,omitempty"`
	// Payload is null where it alone is larger than the file may be.
	Payload      []byte `json:"payload"`
	PayloadBytes int    `json:"payload_bytes"`
}

// deadLetters is a sink's dead-letter file: JSON lines, the older half moved to
// a second file so that both together stay within the bound. Safe for
// concurrent use.
type deadLetters struct {
	path  string
	bound int64

	mu   sync.Mutex
	size int64
}

// What the names of dead-letter files end with, and behind that the older half's.
const (
	deadSuffix  = ".dead"
	olderSuffix = ".1"
)

// encodingRuns is the encoding of a body of LangSmith's run protocol.
const encodingRuns = "runs"

func openDeadLetters(path string, bound int64) (*deadLetters, error) {
	d := &deadLetters{path: path, bound: bound}
	for _, half := range []string{path, path + olderSuffix} {
		// A crash left it, with content that was to be erased.
		if err := ignoreMissing(os.Remove(half + freshSuffix)); err != nil {
			return nil, fmt.Errorf("dead-letter file: %w", err)
		}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil:
		d.size = info.Size()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("dead-letter file: %w", err)
	}
	return d, nil
}

// write appends the letters; they are on disk when it returns without an error.
func (d *deadLetters) write(letters []deadLetter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, err := d.open()
	if err != nil {
		return fmt.Errorf("dead-letter file: %w", err)
	}
	defer func() { file.Close() }()
	for i := range letters {
		letters[i].PayloadBytes = len(letters[i].Payload)
		line, err := json.Marshal(&letters[i])
		if err == nil && int64(len(line))+1 > d.bound/2 {
			letters[i].Payload = nil
			line, err = json.Marshal(&letters[i])
		}
		if err != nil {
			return fmt.Errorf("dead-letter file: %w", err)
		}
		line = append(line, '\n')
		if d.size > 0 && d.size+int64(len(line)) > d.bound/2 {
			if file, err = d.turn(file); err != nil {
				return fmt.Errorf("dead-letter file: %w", err)
			}
		}
		n, err := file.Write(line)
		d.size += int64(n)
		if err != nil {
			return fmt.Errorf("dead-letter file: %w", err)
		}
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("dead-letter file: %w", err)
	}
	return nil
}

func (d *deadLetters) open() (*os.File, error) {
	return os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// turn sets the full file aside, in place of the one before, and begins anew. The
// file is closed first: Windows renames no file that is open.
func (d *deadLetters) turn(full *os.File) (*os.File, error) {
	if err := errors.Join(full.Sync(), full.Close()); err != nil {
		return full, err
	}
	if err := os.Rename(d.path, d.path+olderSuffix); err != nil {
		return full, err
	}
	fresh, err := d.open()
	if err != nil {
		return full, err
	}
	d.size = 0
	return fresh, nil
}
