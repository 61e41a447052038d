package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"treq/telemetry/journal"
)

// ErrNewer is wrapped by the error for a file of a later version.
var ErrNewer = errors.New("written by a newer version")

var errDamaged = errors.New("it is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	magicSize = 8
	headSize  = magicSize + 4 + 8
	sumSize   = 4
)

// Saved is a checkpoint as a file holds it.
type Saved struct {
	// Version is the format of State, from 1 to that of its Kind.
	Version  uint32
	Position journal.Position
	// State belongs to whoever was given the Saved.
	State []byte
}

// encode writes a file's content; state writes the state, in as many pieces as it likes.
func (k *Kind) encode(to io.Writer, at journal.Position, state func(io.Writer) error) error {
	w := summed{to: to}
	head := append(make([]byte, 0, headSize), k.Magic...)
	head = binary.LittleEndian.AppendUint32(head, k.Version)
	head = binary.LittleEndian.AppendUint64(head, uint64(at))
	if _, err := w.Write(head); err != nil {
		return err
	}
	if err := state(&w); err != nil {
		return err
	}
	_, err := to.Write(binary.LittleEndian.AppendUint32(nil, w.sum))
	return err
}

// summed keeps the checksum of what it passes on.
type summed struct {
	to  io.Writer
	sum uint32
}

func (w *summed) Write(p []byte) (int, error) {
	w.sum = crc32.Update(w.sum, castagnoli, p)
	return w.to.Write(p)
}

// decode gives what a file holds. Its state is a part of b.
func (k *Kind) decode(b []byte) (*Saved, error) {
	if len(b) < headSize+sumSize || string(b[:magicSize]) != k.Magic {
		return nil, errDamaged
	}
	body, sum := b[:len(b)-sumSize], binary.LittleEndian.Uint32(b[len(b)-sumSize:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errDamaged
	}
	s := &Saved{
		Version:  binary.LittleEndian.Uint32(body[magicSize:]),
		Position: journal.Position(binary.LittleEndian.Uint64(body[magicSize+4:])),
		State:    body[headSize:],
	}
	if s.Version == 0 || s.Version > k.Version {
		return nil, fmt.Errorf("format %d: %w", s.Version, ErrNewer)
	}
	return s, nil
}
