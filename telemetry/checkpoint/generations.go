package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"treq/telemetry/durable"
	"treq/telemetry/journal"
)

// Kind says whose checkpoints they are.
type Kind struct {
	// Name is that of the files, before "-0" and "-1".
	Name string
	// Magic is the eight bytes that a file begins with.
	Magic string
	// Version is that of the format written, from 1 on. Older ones are given to the
	// owner, newer ones refused.
	Version uint32
	// Read gives the error of a state that does not decode; nil takes all.
	Read func(*Saved) error
	// Later tells whether a is later than b, which stands at the same position and reads
	// as well; nil where states of one position are the same.
	Later func(a, b *Saved) bool
}

// Generations are the two files of a directory. Not safe for concurrent use, except
// that Finish may run beside anything but Load, Begin and another Finish.
type Generations struct {
	dir  string
	kind Kind
	// positions are of the files of the same index where those are valid.
	positions [2]journal.Position
	valid     [2]bool
	next      int
}

// New gives the generations of a kind in a directory, which has to exist. Load comes
// before everything else.
func New(dir string, kind Kind) *Generations { return &Generations{dir: dir, kind: kind} }

// Path gives the file of a generation, 0 or 1.
func (g *Generations) Path(i int) string {
	return filepath.Join(g.dir, fmt.Sprintf("%s-%d", g.kind.Name, i))
}

// Load gives the newest checkpoint that reads whole, nil without one, and what is wrong
// with those that do not. The error is that of reading a file, or wraps ErrNewer.
func (g *Generations) Load() (newest *Saved, damaged []error, err error) {
	for i := range g.positions {
		b, err := os.ReadFile(g.Path(i))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		s, err := g.kind.decode(b)
		if errors.Is(err, ErrNewer) {
			return nil, nil, fmt.Errorf("%s: %w", g.Path(i), err)
		}
		if err == nil && g.kind.Read != nil {
			err = g.kind.Read(s)
		}
		if err != nil {
			damaged = append(damaged, fmt.Errorf("%s: %w", g.Path(i), err))
			continue
		}
		g.positions[i], g.valid[i] = s.Position, true
		if newest == nil || g.later(s, newest) {
			newest, g.next = s, 1-i
		}
	}
	return newest, damaged, nil
}

func (g *Generations) later(a, b *Saved) bool {
	if a.Position == b.Position {
		return g.kind.Later != nil && g.kind.Later(a, b)
	}
	return a.Position > b.Position
}

// Draft is a checkpoint in a file that is not yet in its place.
type Draft struct {
	file     *os.File
	position journal.Position
}

// Begin writes a checkpoint beside the older generation; state writes the state, in as
// many pieces as it likes. Whoever gets the draft has to finish it.
func (g *Generations) Begin(at journal.Position, state func(io.Writer) error) (*Draft, error) {
	f, err := os.OpenFile(g.Path(g.next)+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := g.kind.encode(f, at, state); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Draft{file: f, position: at}, nil
}

// Finish puts a draft in the place of the older generation and gives the position that
// the journal must keep, see Oldest. It waits for the disk.
func (g *Generations) Finish(d *Draft) (journal.Position, error) {
	err := d.file.Sync()
	if err = errors.Join(err, d.file.Close()); err != nil {
		return 0, err
	}
	if err := durable.Rename(d.file.Name(), g.Path(g.next)); err != nil {
		return 0, err
	}
	g.positions[g.next], g.valid[g.next] = d.position, true
	g.next = 1 - g.next
	return g.Oldest(), nil
}

// Oldest gives the position that the journal must keep: that of the older generation, 0
// while there are not two.
func (g *Generations) Oldest() journal.Position {
	if !g.valid[0] || !g.valid[1] {
		return 0
	}
	return min(g.positions[0], g.positions[1])
}
