package alerting

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"strconv"

	"treq/telemetry"
	"treq/telemetry/durable"
)

// stateVersion is of the file's format.
const stateVersion = 1

// stateFile keeps the register through crashes: the CRC32C of a JSON document in
// hexadecimal, a space, the document. It is replaced as a whole.
type stateFile struct{ path string }

type stateDocument struct {
	Version int     `json:"version"`
	Firing  []*held `json:"firing"`
	Ended   []*held `json:"ended"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// load gives what was saved last, an empty register where nothing was. A damaged
// file is set aside; the error says so and comes with an empty register. One of
// another format is left as it is, and the error is of kind Unsupported.
func (f stateFile) load() (*register, error) {
	r := newRegister()
	content, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("state of alerts: %w", err)
	}
	sum, text, _ := bytes.Cut(content, []byte(" "))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	var doc stateDocument
	switch {
	case err != nil || uint32(want) != crc32.Checksum(text, castagnoli):
		err = errors.New("it is damaged")
	default:
		err = json.Unmarshal(text, &doc)
	}
	if err == nil && doc.Version != stateVersion {
		return r, telemetry.Errorf(telemetry.Unsupported,
			"%s has format %d and this program reads format %d: start the newer program that wrote it, or another data directory",
			f.path, doc.Version, stateVersion)
	}
	if err != nil {
		aside := f.path + ".damaged"
		return r, telemetry.Errorf(telemetry.Internal, "state of alerts: %s; set aside as %s, alerts begin anew (%v)",
			err, aside, os.Rename(f.path, aside))
	}
	for _, h := range doc.Firing {
		r.firing[h.Alert.Fingerprint] = h
	}
	r.ended = doc.Ended
	return r, nil
}

// save makes the register durable, all or nothing.
func (f stateFile) save(r *register) error {
	doc := stateDocument{Version: stateVersion, Firing: []*held{}, Ended: append([]*held{}, r.ended...)}
	for _, h := range r.all() {
		if h.Alert.State == Firing {
			doc.Firing = append(doc.Firing, h)
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("state of alerts: %w", err)
	}
	content := fmt.Appendf(nil, "%08x %s", crc32.Checksum(text, castagnoli), text)
	if err := replace(f.path, content); err != nil {
		return fmt.Errorf("state of alerts: %w", err)
	}
	return nil
}

// replace puts content in the place of a file, durably.
func replace(path string, content []byte) (err error) {
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return durable.Rename(fresh, path)
}
