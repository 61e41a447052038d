package merger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"treq/telemetry/durable"
	"treq/telemetry/journal"
)

const (
	checkpointMagic = "TREQRUNS"
	// checkpointVersion is the format written; a newer one is refused.
	checkpointVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errNewerFormat = errors.New("written by a newer version")
	errDamaged     = errors.New("it is damaged")
)

// checkpoint is the merger's state at a position of the log.
type checkpoint struct {
	position journal.Position
	now      int64 // time of the log
	state    []byte
}

func (c *checkpoint) encode() []byte {
	b := make([]byte, 0, len(checkpointMagic)+4+16+len(c.state)+4)
	b = append(b, checkpointMagic...)
	b = binary.LittleEndian.AppendUint32(b, checkpointVersion)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.position))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.now))
	b = append(b, c.state...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decode(b []byte) (*checkpoint, error) {
	const head = len(checkpointMagic) + 4 + 16
	if len(b) < head+4 || string(b[:len(checkpointMagic)]) != checkpointMagic {
		return nil, errDamaged
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errDamaged
	}
	if v := binary.LittleEndian.Uint32(body[len(checkpointMagic):]); v != checkpointVersion {
		return nil, fmt.Errorf("format %d: %w", v, errNewerFormat)
	}
	return &checkpoint{
		position: journal.Position(binary.LittleEndian.Uint64(body[head-16:])),
		now:      int64(binary.LittleEndian.Uint64(body[head-8:])),
		state:    body[head:],
	}, nil
}

// generations are the two files that checkpoints are written to in turn: while one
// is written the other is whole.
type generations struct {
	dir       string
	positions [2]journal.Position
	valid     [2]bool
	next      int
}

func (g *generations) path(i int) string { return filepath.Join(g.dir, fmt.Sprintf("runs-%d", i)) }

// load gives the newest checkpoint that reads whole, nil without one, and what is
// wrong with those that do not.
func (g *generations) load() (newest *checkpoint, damaged []error, err error) {
	for i := range g.positions {
		b, err := os.ReadFile(g.path(i))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		c, err := decode(b)
		if errors.Is(err, errNewerFormat) {
			return nil, nil, fmt.Errorf("%s: %w", g.path(i), err)
		}
		if err != nil {
			damaged = append(damaged, fmt.Errorf("%s: %w", g.path(i), err))
			continue
		}
		g.positions[i], g.valid[i] = c.position, true
		if newest == nil || c.position > newest.position {
			newest, g.next = c, 1-i
		}
	}
	return newest, damaged, nil
}

// store writes over the older generation and gives the position that the log has
// to keep: that of the other.
func (g *generations) store(c *checkpoint) (journal.Position, error) {
	if err := writeDurably(g.path(g.next), c.encode()); err != nil {
		return 0, err
	}
	g.positions[g.next], g.valid[g.next] = c.position, true
	g.next = 1 - g.next
	return g.oldest(), nil
}

// oldest is 0 while there are not two generations.
func (g *generations) oldest() journal.Position {
	if !g.valid[0] || !g.valid[1] {
		return 0
	}
	return min(g.positions[0], g.positions[1])
}

// writeDurably replaces a file so that after a power cut either content is there, whole.
func writeDurably(path string, b []byte) (err error) {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return durable.Rename(tmp, path)
}
