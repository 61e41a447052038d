package understand

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"

	"treq/telemetry"
)

// judgements knows the last score of each run, key and source, so that the same
// judgement counts once and a changed one takes the place of the one before. It is
// bounded: the oldest go first.
type judgements struct {
	scores map[judgementKey]uint64
	queue  []judgementKey
}

type judgementKey [16]byte

// maxJudgements bounds the judgements that are known.
const maxJudgements = 100_000

// What stands for a judgement without score, and for one that was withdrawn; no score
// has these bits.
const (
	unscored  = math.MaxUint64
	withdrawn = math.MaxUint64 - 1
)

// isNew tells whether a judgement changes what counts, knows it from then on and says
// what it replaces. One that names neither a run nor itself always is.
func (j *judgements) isNew(f *telemetry.Feedback) bool {
	named := f.RunID
	if named == "" {
		named = f.ID
	}
	if named == "" {
		return !f.Withdrawn
	}
	run := ParseRunID([]byte(named))
	buf := append(make([]byte, 0, 128), run[:]...)
	buf = binary.AppendUvarint(buf, uint64(len(f.Key)))
	buf = append(buf, f.Key...)
	buf = append(buf, f.Source...)
	h := xxh3.Hash128(buf)
	var key judgementKey
	binary.BigEndian.PutUint64(key[:8], h.Hi)
	binary.BigEndian.PutUint64(key[8:], h.Lo)
	score := uint64(unscored)
	switch {
	case f.Withdrawn:
		score = withdrawn
	case f.Scored:
		score = math.Float64bits(f.Score)
	}
	known, ok := j.scores[key]
	if ok && known == score || !ok && f.Withdrawn {
		return false
	}
	j.set(key, score, !ok)
	switch {
	case !ok || known == withdrawn:
	case known == unscored:
		f.Replaces = &telemetry.Verdict{}
	default:
		f.Replaces = &telemetry.Verdict{Scored: true, Score: math.Float64frombits(known)}
	}
	return true
}

func (j *judgements) set(key judgementKey, score uint64, isNew bool) {
	if j.scores == nil {
		j.scores = make(map[judgementKey]uint64)
	}
	j.scores[key] = score
	if !isNew {
		return
	}
	j.queue = append(j.queue, key)
	if len(j.queue) > maxJudgements {
		delete(j.scores, j.queue[0])
		j.queue = j.queue[1:]
	}
}
