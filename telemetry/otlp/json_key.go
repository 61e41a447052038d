package otlp

import "encoding/binary"

// jsonName is a name in quotes, made to be compared: its first eight bytes as a word,
// of which a shorter one masks the rest, and what is behind them.
type jsonName struct {
	word, mask uint64
	size       int
	behind     string
}

func newJSONName(name string) jsonName {
	quoted := `"` + name + `"`
	n := jsonName{mask: 1<<(8*min(len(quoted), wordBytes)) - 1, size: len(quoted)}
	if len(quoted) >= wordBytes {
		n.mask, n.behind = ^uint64(0), quoted[wordBytes:]
	}
	var first [wordBytes]byte
	copy(first[:], quoted)
	n.word = binary.LittleEndian.Uint64(first[:])
	return n
}

// key reads the name at t.pos and gives the field of m that it names, nil for an
// unknown one. Next is the index of the field where the search starts.
func (t *transcoder) key(m *message, next *int) (*field, bool) {
	if rest := t.src[t.pos:]; len(rest) >= wordBytes {
		word := binary.LittleEndian.Uint64(rest)
		for i := *next; i < len(m.names); i++ {
			n := &m.names[i]
			if word&n.mask == n.word && len(rest) >= n.size && (n.behind == "" || string(rest[wordBytes:n.size]) == n.behind) {
				t.pos += n.size
				*next = i + 1
				return m.fields[i], true
			}
		}
	}
	name, ok := t.name()
	if !ok {
		return nil, false
	}
	f, i := m.named(name)
	if f != nil {
		*next = i + 1
	}
	return f, true
}
