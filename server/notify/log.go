package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"treq/server/alerting"
)

// record is one line of the log: a firing that came or changed, what a receiver
// was told, or a firing as a whole.
type record struct {
	At time.Time `json:"at"`
	// Alert came, or ended.
	Alert *alerting.Alert `json:"alert,omitempty"`
	// Told is what Receiver was told.
	Receiver string      `json:"receiver,omitempty"`
	Told     []toldState `json:"told,omitempty"`
	// Episode stands for all earlier records of one firing.
	Episode *episodeState `json:"episode,omitempty"`
}

// toldState is that a receiver was told of a firing, or of its end.
type toldState struct {
	Fingerprint string         `json:"fingerprint"`
	StartsAt    time.Time      `json:"starts_at"`
	State       alerting.State `json:"state"`
	Times       int            `json:"times"` // the firing was told, with this one
	Muted       bool           `json:"muted,omitempty"`
}

// episodeState is a firing with what is known of it.
type episodeState struct {
	Alert   alerting.Alert       `json:"alert"`
	Noticed time.Time            `json:"noticed"`
	Ended   time.Time            `json:"ended"`
	Settled time.Time            `json:"settled"`
	Told    map[string]toldEntry `json:"told,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode gives a record's line: the CRC32C of its JSON in hexadecimal, a space,
// the JSON.
func (r record) encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text), nil
}

// decodeLog gives the records of a log, and how many lines were damaged. A last
// line without an end was being written when the power went, and is of no account.
func decodeLog(content []byte) (records []record, damaged int, torn bool) {
	for len(content) > 0 {
		line, rest, whole := bytes.Cut(content, []byte("\n"))
		content = rest
		if !whole {
			return records, damaged, true
		}
		r, ok := decodeLine(line)
		if !ok {
			damaged++
			continue
		}
		records = append(records, r)
	}
	return records, damaged, false
}

func decodeLine(line []byte) (r record, ok bool) {
	sum, text, found := bytes.Cut(line, []byte(" "))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !found || err != nil || uint64(crc32.Checksum(text, castagnoli)) != want {
		return record{}, false
	}
	return r, json.Unmarshal(text, &r) == nil
}

// log keeps the book's changes on disk. It belongs to whoever holds the
// dispatcher's lock.
type log struct {
	disk     disk
	written  int // bytes since the last rewrite
	snapshot int // bytes of it
	// broken tells that the end of the file is not known: the next write replaces
	// the whole.
	broken bool
}

// rewriteFrom is the size from which a log that is mostly history is rewritten.
const rewriteFrom = 256 << 10

// write makes records durable. all gives every record there would be in a fresh
// log, the new ones included, for when the file must be rewritten.
func (l *log) write(records []record, all func() []record) error {
	if len(records) == 0 {
		return nil
	}
	if l.broken || l.written > rewriteFrom && l.written > 2*l.snapshot {
		return l.rewrite(all())
	}
	b, err := encodeAll(records)
	if err != nil {
		return err
	}
	if err := l.disk.append(b); err != nil {
		l.broken = true
		return err
	}
	l.written += len(b)
	return nil
}

func (l *log) rewrite(all []record) error {
	l.broken = true
	b, err := encodeAll(all)
	if err != nil {
		return err
	}
	if err := l.disk.replace(b); err != nil {
		return err
	}
	l.broken, l.written, l.snapshot = false, 0, len(b)
	return nil
}

func encodeAll(records []record) ([]byte, error) {
	var b []byte
	for _, r := range records {
		line, err := r.encode()
		if err != nil {
			return nil, err
		}
		b = append(b, line...)
	}
	return b, nil
}
