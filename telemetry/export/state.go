package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"treq/telemetry/durable"
	"treq/telemetry/journal"
)

// state is what a sink remembers over restarts. Counters and position belong
// together: they change in one write, so that what is sent again after a crash
// is also counted again from where it was.
type state struct {
	Position journal.Position `json:"position"`
	// Within is how many spans of the record at Position found their end, from its
	// first on. Ends has them.
	Within int64  `json:"within,omitempty"`
	Ends   counts `json:"ends"`
	// Recent is where one of the last records before Position begins; 0 after a stop, which
	// leaves no client without an answer. A process that follows a kill looks there for what
	// its clients may send again.
	Recent  journal.Position `json:"recent,omitempty"`
	Traffic traffic          `json:"traffic"`
	Tally   tallyState       `json:"tally"`
	// Native tells that native runs were counted, and the spans made of them not.
	Native bool `json:"native,omitempty"`
}

// traffic counts requests.
type traffic struct {
	Requests int64 `json:"requests"`
	Bytes    int64 `json:"bytes"`
	Retried  int64 `json:"retried"`
}

// stateFile is the form on disk: readable, and checked.
type stateFile struct {
	Version int             `json:"version"`
	CRC     uint32          `json:"crc32c"` // of State
	State   json.RawMessage `json:"state"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged tells a state file that cannot be believed.
var errDamaged = errors.New("is damaged")

// loadState gives false for a sink that has none yet.
func loadState(path string) (state, bool, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, false, nil
	}
	if err != nil {
		return state{}, false, err
	}
	var file stateFile
	if err := json.Unmarshal(content, &file); err != nil {
		return state{}, false, errDamaged
	}
	if file.Version != 1 {
		return state{}, false, fmt.Errorf("has version %d; this program reads version 1", file.Version)
	}
	var s state
	if crc32.Checksum(file.State, castagnoli) != file.CRC || json.Unmarshal(file.State, &s) != nil {
		return state{}, false, errDamaged
	}
	return s, true, nil
}

// latest gives the state that got furthest: of the file that is safe on disk,
// and of the note beside it that is newer unless the machine itself went down.
// A note that does not read was being written then, and is of no account.
func latest(path string) (state, bool, error) {
	kept, known, err := loadState(path)
	if noted, ok, noteErr := loadState(notePath(path)); noteErr == nil && ok {
		if err == nil && (!known || noted.beyond(kept)) || errors.Is(err, errDamaged) {
			return noted, true, nil
		}
	}
	return kept, known, err
}

// beyond tells that s got further than t.
func (s state) beyond(t state) bool {
	return s.Position > t.Position || s.Position == t.Position && s.Within > t.Within
}

// notePath is the file of the notes for the file that save writes.
func notePath(path string) string { return path + ".note" }

// noter takes the state of a sink after every batch; write returns once a kill of
// the process leaves it there.
type noter interface {
	write(s state) error
	close()
}

// notes are the states of a sink where they outlive the process, but not the
// machine: cheap enough for every batch, so that a process that is killed repeats
// what was on its way and no more. Each is written over the one before, in one
// call. Not safe for concurrent use.
type notes struct {
	path string
	file *os.File
	size int // of the longest so far
}

// maxNote is more than a note ever takes.
const maxNote = 64 << 10

func (n *notes) write(s state) error {
	content, err := s.encode()
	if err != nil {
		return err
	}
	if n.file == nil {
		if n.file, err = os.OpenFile(n.path, os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
			return err
		}
		if info, err := n.file.Stat(); err == nil {
			n.size = int(min(info.Size(), maxNote))
		}
	}
	// What a longer one left behind would make this one unreadable.
	for len(content) < n.size {
		content = append(content, ' ')
	}
	n.size = len(content)
	_, err = n.file.WriteAt(content, 0)
	return err
}

func (n *notes) close() {
	if n.file != nil {
		_ = n.file.Close() // the position was just made safe on disk
		n.file = nil
	}
}

func (s state) encode() ([]byte, error) {
	inner, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(stateFile{Version: 1, CRC: crc32.Checksum(inner, castagnoli), State: inner})
	return append(content, '\n'), err
}

// save replaces the file atomically; it is on disk when save returns.
func (s state) save(path string) error {
	content, err := s.encode()
	if err != nil {
		return err
	}
	fresh := path + ".new"
	if err := writeDurably(fresh, content); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return durable.Rename(fresh, path)
}

func writeDurably(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}
