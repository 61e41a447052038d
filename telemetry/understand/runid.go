package understand

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/zeebo/xxh3"
)

// RunID is a run's id in the one form that all its spellings have in common. The
// zero value is no id.
type RunID [16]byte

// ParseRunID reads a run id: a UUID with or without dashes, a trace id, a span id
// in hexadecimal (right-aligned in a zero UUID, as LangSmith does); any other text
// is an id by its 128-bit hash. Empty text is no id.
func ParseRunID(text []byte) (id RunID) {
	if len(text) == 0 {
		return id
	}
	var packed [32]byte
	n := 0
	for _, c := range text {
		if c == '-' {
			continue
		}
		if n == len(packed) {
			n++
			break
		}
		packed[n] = c
		n++
	}
	switch n {
	case 32:
		if _, err := hex.Decode(id[:], packed[:]); err == nil {
			return id
		}
	case 16:
		if _, err := hex.Decode(id[8:], packed[:16]); err == nil {
			return id
		}
	}
	h := xxh3.Hash128(text)
	binary.BigEndian.PutUint64(id[:8], h.Hi)
	binary.BigEndian.PutUint64(id[8:], h.Lo)
	return id
}

// runOfSpan is the id of the run whose root span carries no id of its own.
func runOfSpan(span uint64) (id RunID) {
	binary.BigEndian.PutUint64(id[8:], span)
	return id
}
