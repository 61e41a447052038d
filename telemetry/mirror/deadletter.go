package mirror

import (
	"encoding/json"
	"errors"
	"os"
	"time"

	"treq/telemetry/judgement"
)

// deadBytes bounds a dead-letter file; the one before it is kept besides.
const deadBytes = 8 << 20

// deadLetter is one line of the file: a judgement that the sink will never take.
type deadLetter struct {
	Time      time.Time           `json:"time"`
	Reason    string              `json:"reason"`
	Status    int                 `json:"status,omitempty"` // HTTP, if answered
	Judgement judgement.Judgement `json:"judgement"`
}

// writeDead appends a letter; it is on disk when it returns without an error.
func writeDead(path string, letter deadLetter) error {
	line, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Size()+int64(len(line)) > deadBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}
