package notify

import (
	"errors"
	"io/fs"
	"os"

	"treq/telemetry/durable"
)

// disk is what the log writes through, so that tests can cut the power at every
// call.
type disk interface {
	// read gives the whole log, nothing where there is none.
	read() ([]byte, error)
	// append adds to the log; it is on disk when append returns nil, and may be
	// there in part after an error.
	append(b []byte) error
	// replace puts b in the place of the whole log, all or nothing.
	replace(b []byte) error
	close() error
}

// osDisk is a log in the file system. It belongs to one goroutine at a time.
type osDisk struct {
	path string
	file *os.File // nil until something is appended
}

func (d *osDisk) read() ([]byte, error) {
	content, err := os.ReadFile(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

func (d *osDisk) append(b []byte) (err error) {
	if d.file == nil {
		if d.file, err = os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
			return err
		}
	}
	if _, err := d.file.Write(b); err != nil {
		return err
	}
	return d.file.Sync()
}

func (d *osDisk) replace(b []byte) error {
	fresh := d.path + ".new"
	if err := writeSynced(fresh, b); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := d.close(); err != nil {
		return err
	}
	return durable.Rename(fresh, d.path)
}

func writeSynced(path string, b []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	return errors.Join(err, file.Sync(), file.Close())
}

func (d *osDisk) close() error {
	if d.file == nil {
		return nil
	}
	file := d.file
	d.file = nil
	return file.Close()
}
