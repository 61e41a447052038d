package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"time"

	"treq/telemetry/durable"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

// state is what an outbox remembers over restarts. All of it changes in one write:
// what stands before Position is among Items, or settled and counted.
type state struct {
	Position journal.Position `json:"position"`
	Counts   counts           `json:"counts"`
	Items    []*item          `json:"items"`
}

type counts struct {
	Read         int64 `json:"read"`
	Sent         int64 `json:"sent"`
	Replaced     int64 `json:"replaced"`
	DeadLettered int64 `json:"dead_lettered"`
	Retried      int64 `json:"retried"`
}

// item is a judgement that is to be sent.
type item struct {
	Judgement judgement.Judgement `json:"judgement"`
	// Since is when it was read.
	Since time.Time `json:"since"`
	// Tries counts attempts at this judgement that failed for its own reason; ForRun
	// tells that the last did because its run was not known.
	Tries  int  `json:"tries"`
	ForRun bool `json:"for_run"`

	due     time.Time
	flying  bool
	version int // changes when a newer judgement takes the place
	order   int64
}

type stateFile struct {
	Version int             `json:"version"`
	CRC     uint32          `json:"crc32c"` // of State
	State   json.RawMessage `json:"state"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged tells a state file that cannot be believed.
var errDamaged = errors.New("is damaged")

// loadState gives the zero state for a sink that has none yet.
func loadState(path string) (s state, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	var file stateFile
	if json.Unmarshal(content, &file) != nil {
		return s, errDamaged
	}
	if file.Version != 1 {
		return s, fmt.Errorf("has version %d; this program reads version 1", file.Version)
	}
	if crc32.Checksum(file.State, castagnoli) != file.CRC || json.Unmarshal(file.State, &s) != nil {
		return state{}, errDamaged
	}
	return s, nil
}

// save replaces the file atomically; it is on disk when save returns.
func (s *state) save(path string) error {
	inner, err := json.Marshal(s)
	if err != nil {
		return err
	}
	content, err := json.Marshal(stateFile{Version: 1, CRC: crc32.Checksum(inner, castagnoli), State: inner})
	if err != nil {
		return err
	}
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(content, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return durable.Rename(fresh, path)
}
