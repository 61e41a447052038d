package meter

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"

	"treq/telemetry/checkpoint"
	"treq/telemetry/journal"
)

// stateVersion is the format written. In version 1 the engine's state had a length, and
// stood behind the totals; in version 2 it knew no ids of answers, which it tells itself.
const stateVersion = 3

// generations are the checkpoints in a directory.
func generations(dir string) *checkpoint.Generations {
	return checkpoint.New(dir, checkpoint.Kind{
		Name: "checkpoint", Magic: "TREQCKPT", Version: stateVersion,
		Read: func(s *checkpoint.Saved) error { _, err := decodeState(s); return err },
		// Timers fire where nothing is admitted.
		Later: func(a, b *checkpoint.Saved) bool {
			late, err := decodeState(a)
			early, err2 := decodeState(b)
			return err == nil && err2 == nil && late.Written.After(early.Written)
		},
	})
}

// state is the meter's at a position.
type state struct {
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

// head gives what stands before the engine's state.
func (s *state) head() []byte {
	b := make([]byte, 0, 64+len(s.Rules)+len(s.Totals)+len(s.Bounds)+len(s.Reported))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Admitted.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Written.UnixNano()))
	for _, section := range [][]byte{[]byte(s.Rules), s.Totals, s.Bounds, s.Reported} {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(section))), section...)
	}
	return b
}

// encode writes the state. The engine's is many megabytes, comes in pieces, and so
// stands last, without a length; engine writes it.
func (s *state) encode(to io.Writer, engine func(io.Writer) error) error {
	if _, err := to.Write(s.head()); err != nil {
		return err
	}
	return engine(to)
}

// decodeState gives the state that a checkpoint holds, as parts of it.
func decodeState(saved *checkpoint.Saved) (*state, error) {
	const times = 2 * 8
	r := saved.State
	if len(r) < times {
		return nil, errors.New("ends before the times")
	}
	s := &state{
		Position: saved.Position,
		Admitted: time.Unix(0, int64(binary.LittleEndian.Uint64(r))),
		Written:  time.Unix(0, int64(binary.LittleEndian.Uint64(r[8:]))),
	}
	r = r[times:]
	var rules []byte
	sections := []*[]byte{&rules, &s.Totals, &s.Bounds, &s.Reported}
	if saved.Version == 1 {
		sections = slices.Insert(sections, 2, &s.Engine)
	}
	for _, section := range sections {
		if len(r) < 8 {
			return nil, errors.New("ends in the middle of a section")
		}
		n := binary.LittleEndian.Uint64(r)
		if r = r[8:]; n > uint64(len(r)) {
			return nil, errors.New("a section is longer than the file")
		}
		*section, r = r[:n:n], r[n:]
	}
	s.Rules = string(rules)
	if saved.Version > 1 {
		s.Engine = r
	}
	return s, nil
}
