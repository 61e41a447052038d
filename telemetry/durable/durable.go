// Package durable puts files in the place of others so that a power cut leaves the
// old one or the new one, whole. What is written into them is their owners' matter.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Rename gives the file at from the name to, in the place of what has it, and makes
// the name durable; the content has to be synced before. Both names are of one
// directory. When it fails, to names the old file or the new one.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// WriteFile puts content, which only the owner may read, in the place of the file at
// path, and makes it durable: after a power cut there is the old file or the new one.
func WriteFile(path string, content []byte) error {
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return Rename(fresh, path)
}
