package understand

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"

	"treq/telemetry"
)

// judgements knows the last score of each run, key and source, so that the same
// judgement counts once and a changed one anew. It is bounded: the oldest go first.
type judgements struct {
	scores map[judgementKey]uint64
	queue  []judgementKey
}

type judgementKey [16]byte

// maxJudgements bounds the judgements that are known.
const maxJudgements = 100_000

// unscored stands for a judgement without score; no score has these bits.
const unscored = math.MaxUint64

// isNew tells whether a judgement is new, and knows it from then on. One that
// names no run always is.
func (j *judgements) isNew(f *telemetry.Feedback) bool {
	if f.RunID == "" {
		return true
	}
	run := ParseRunID([]byte(f.RunID))
	buf := append(make([]byte, 0, 128), run[:]...)
	buf = binary.AppendUvarint(buf, uint64(len(f.Key)))
	buf = append(buf, f.Key...)
	buf = append(buf, f.Source...)
	h := xxh3.Hash128(buf)
	var key judgementKey
	binary.BigEndian.PutUint64(key[:8], h.Hi)
	binary.BigEndian.PutUint64(key[8:], h.Lo)
	score := uint64(unscored)
	if f.Scored {
		score = math.Float64bits(f.Score)
	}
	known, ok := j.scores[key]
	if ok && known == score {
		return false
	}
	j.set(key, score, !ok)
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
