package merger

import (
	"encoding/binary"
	"errors"
	"io"

	"treq/telemetry/checkpoint"
	"treq/telemetry/journal"
)

// generations are the checkpoints in a directory. A state is the journal's time in
// 8 bytes, little-endian, and the table's.
func generations(dir string) *checkpoint.Generations {
	return checkpoint.New(dir, checkpoint.Kind{
		Name: "runs", Magic: "TREQRUNS", Version: 1,
		Read: func(s *checkpoint.Saved) error {
			if len(s.State) < 8 {
				return errors.New("ends before the time")
			}
			return nil
		},
	})
}

// store writes the state at a position and gives the position that the log has to keep.
func store(g *checkpoint.Generations, at journal.Position, now int64, table []byte) (journal.Position, error) {
	draft, err := g.Begin(at, func(w io.Writer) error {
		if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(now))); err != nil {
			return err
		}
		_, err := w.Write(table)
		return err
	})
	if err != nil {
		return 0, err
	}
	return g.Finish(draft)
}
