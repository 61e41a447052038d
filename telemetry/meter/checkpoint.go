package meter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"treq/telemetry/durable"
	"treq/telemetry/journal"
)

// checkpointVersion is the format written. A newer one is refused, since
// counting on from totals that are not understood would be worse than not starting.
// In version 1 the engine's state had a length, and stood behind the totals.
const checkpointVersion = 2

const checkpointMagic = "TREQCKPT"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkpoint is the meter's state at a position.
type checkpoint struct {
	Position journal.Position
	// Admitted is the journal time the state stands at.
	Admitted time.Time
	Written  time.Time
	// Rules identifies the rules the state was counted under.
	Rules string

	Totals   []byte // an OTLP ExportMetricsServiceRequest
	Engine   []byte
	Bounds   []byte
	Reported []byte
}

// errNewerFormat is returned for a checkpoint of a later format.
var errNewerFormat = errors.New("written by a newer version")

// head gives the file's content before the engine's state.
func (c *checkpoint) head() []byte {
	b := append(make([]byte, 0, 64+len(c.Totals)+len(c.Bounds)+len(c.Reported)), checkpointMagic...)
	b = binary.LittleEndian.AppendUint32(b, checkpointVersion)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Position))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Admitted.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Written.UnixNano()))
	for _, s := range [][]byte{[]byte(c.Rules), c.Totals, c.Bounds, c.Reported} {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
	}
	return b
}

// encode writes the file's content. The engine's state is many megabytes, comes in
// pieces, and so stands last, without a length; engine writes it.
func (c *checkpoint) encode(to io.Writer, engine func(io.Writer) error) error {
	w := summed{to: to}
	if _, err := w.Write(c.head()); err != nil {
		return err
	}
	if err := engine(&w); err != nil {
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

func decodeCheckpoint(b []byte) (*checkpoint, error) {
	const header = len(checkpointMagic) + 4 + 3*8
	if len(b) < header+4 || string(b[:len(checkpointMagic)]) != checkpointMagic {
		return nil, errors.New("not a checkpoint")
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errors.New("checksum does not match")
	}
	r := body[len(checkpointMagic):]
	version := binary.LittleEndian.Uint32(r)
	if version == 0 || version > checkpointVersion {
		return nil, fmt.Errorf("format %d: %w", version, errNewerFormat)
	}
	r = r[4:]
	c := &checkpoint{
		Position: journal.Position(binary.LittleEndian.Uint64(r)),
		Admitted: time.Unix(0, int64(binary.LittleEndian.Uint64(r[8:]))),
		Written:  time.Unix(0, int64(binary.LittleEndian.Uint64(r[16:]))),
	}
	r = r[24:]
	var rules []byte
	sections := []*[]byte{&rules, &c.Totals, &c.Bounds, &c.Reported}
	if version == 1 {
		sections = slices.Insert(sections, 2, &c.Engine)
	}
	for _, s := range sections {
		if len(r) < 8 {
			return nil, errors.New("ends in the middle of a section")
		}
		n := binary.LittleEndian.Uint64(r)
		if r = r[8:]; n > uint64(len(r)) {
			return nil, errors.New("a section is longer than the file")
		}
		*s, r = r[:n:n], r[n:]
	}
	c.Rules = string(rules)
	if version > 1 {
		c.Engine = r
	}
	return c, nil
}

// generations are the two files that checkpoints are written to in turn.
type generations struct {
	dir string
	// positions are of the file of the same index, 0 where it holds none.
	positions [2]journal.Position
	valid     [2]bool
	next      int
}

func (g *generations) path(i int) string {
	return filepath.Join(g.dir, fmt.Sprintf("checkpoint-%d", i))
}

// load gives the newest checkpoint that reads whole, nil without one, and what
// was wrong with those that do not read.
func (g *generations) load() (newest *checkpoint, damaged []error, err error) {
	for i := range g.positions {
		b, err := os.ReadFile(g.path(i))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		c, err := decodeCheckpoint(b)
		if errors.Is(err, errNewerFormat) {
			return nil, nil, fmt.Errorf("%s: %w", g.path(i), err)
		}
		if err != nil {
			damaged = append(damaged, fmt.Errorf("%s: %w", g.path(i), err))
			continue
		}
		g.positions[i], g.valid[i] = c.Position, true
		if newest == nil || c.Position > newest.Position ||
			c.Position == newest.Position && c.Written.After(newest.Written) {
			newest, g.next = c, 1-i
		}
	}
	return newest, damaged, nil
}

// draft is a checkpoint in a file that is not yet in its place.
type draft struct {
	file     *os.File
	position journal.Position
}

// begin writes a checkpoint beside the older generation. Whoever gets the draft has to
// finish it.
func (g *generations) begin(c *checkpoint, engine func(io.Writer) error) (*draft, error) {
	f, err := os.OpenFile(g.path(g.next)+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := c.encode(f, engine); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &draft{file: f, position: c.Position}, nil
}

// finish puts a draft in the place of the older generation and gives the position
// that the journal must keep.
func (g *generations) finish(d *draft) (journal.Position, error) {
	if err := replaceDurably(d.file, g.path(g.next)); err != nil {
		return 0, err
	}
	g.positions[g.next], g.valid[g.next] = d.position, true
	g.next = 1 - g.next
	return g.oldest(), nil
}

// oldest gives the position that the journal must keep: that of the older
// generation, 0 while there are not two.
func (g *generations) oldest() journal.Position {
	if !g.valid[0] || !g.valid[1] {
		return 0
	}
	return min(g.positions[0], g.positions[1])
}

// replaceDurably puts a file that was written in the place of another, so that after a
// power cut either the old or the new content is there, whole.
func replaceDurably(f *os.File, path string) error {
	err := f.Sync()
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return durable.Rename(f.Name(), path)
}
