package server

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"treq/telemetry/durable"
)

// identity belongs to a data directory and stays the same over restarts.
type identity struct {
	// Instance names this data directory's owner to peers and sinks.
	Instance string `json:"instance"`
	// Seed makes request hashes unpredictable to senders.
	Seed uint64 `json:"seed"`
	// FeedbackKey seals the tokens with which pages judge runs, in hexadecimal.
	FeedbackKey string `json:"feedback_key"`
}

// feedbackKeyBytes is the length of FeedbackKey.
const feedbackKeyBytes = 32

// loadIdentity reads the directory's identity, or makes one where there is none.
// A damaged one is set aside for a new one: what that costs is that a request
// sent again from before counts by its spans instead of as a whole, which is no
// reason not to start.
func loadIdentity(dir string, log *slog.Logger) (identity, error) {
	path := filepath.Join(dir, "identity.json")
	b, err := os.ReadFile(path)
	if err == nil {
		var id identity
		if err := json.Unmarshal(b, &id); err == nil && id.Instance != "" {
			if key, err := hex.DecodeString(id.FeedbackKey); err == nil && len(key) == feedbackKeyBytes {
				return id, nil
			}
			id.FeedbackKey = newFeedbackKey() // made by a version that had none
			return id, id.save(path)
		}
		log.Error("the identity of the data directory is damaged and set aside; a new one is made", "file", path)
		err = os.Rename(path, path+".damaged")
		if err != nil {
			return identity{}, err
		}
		return newIdentity(path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return identity{}, err
	}
	return newIdentity(path)
}

func newIdentity(path string) (identity, error) {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails, says crypto/rand
	id := identity{Instance: uuid.NewString(), Seed: binary.LittleEndian.Uint64(seed[:]), FeedbackKey: newFeedbackKey()}
	if err := id.save(path); err != nil {
		return identity{}, err
	}
	return id, nil
}

func newFeedbackKey() string {
	var key [feedbackKeyBytes]byte
	_, _ = rand.Read(key[:]) // never fails, says crypto/rand
	return hex.EncodeToString(key[:])
}

func (id identity) save(path string) error {
	b, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, append(b, '\n'))
}
