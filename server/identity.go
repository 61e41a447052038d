package server

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// identity belongs to a data directory and stays the same over restarts.
type identity struct {
	// Instance names this data directory's owner to peers and sinks.
	Instance string `json:"instance"`
	// Seed makes request hashes unpredictable to senders.
	Seed uint64 `json:"seed"`
}

// loadIdentity reads the directory's identity, or makes one where there is none.
func loadIdentity(dir string) (identity, error) {
	path := filepath.Join(dir, "identity.json")
	b, err := os.ReadFile(path)
	if err == nil {
		var id identity
		if err := json.Unmarshal(b, &id); err != nil || id.Instance == "" {
			return identity{}, fmt.Errorf("%s does not read as an identity (delete it to get a new one; requests repeated from before then count again): %w", path, err)
		}
		return id, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return identity{}, err
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails, says crypto/rand
	id := identity{Instance: uuid.NewString(), Seed: binary.LittleEndian.Uint64(seed[:])}
	b, err = json.Marshal(id)
	if err != nil {
		return identity{}, err
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return identity{}, err
	}
	return id, os.Rename(tmp, path)
}
