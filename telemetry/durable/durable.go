// Package durable puts files in the place of others so that a power cut leaves the
// old one or the new one, whole. What is written into them is their owners' matter.
package durable

import (
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
