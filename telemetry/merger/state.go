package merger

import (
	"container/heap"
	"encoding/binary"
	"errors"
	"slices"

	"treq/telemetry/langsmith"
)

// marshal gives the table as unmarshal reads it.
func (t *table) marshal() []byte {
	b := make([]byte, 0, int(t.bytes)+16*len(t.told.queue)+24*len(t.spans.queue)+1024)
	b = binary.AppendUvarint(b, t.seq)
	runs := slices.Clone(t.queue)
	slices.SortFunc(runs, func(a, c *waiting) int { return int(a.seq) - int(c.seq) })
	b = binary.AppendUvarint(b, uint64(len(runs)))
	for _, w := range runs {
		b = binary.AppendUvarint(b, w.seq)
		b = binary.AppendVarint(b, w.first)
		b = binary.AppendVarint(b, w.held)
		b = binary.AppendUvarint(b, uint64(len(w.tenant)))
		b = append(b, w.tenant...)
		b, _ = w.run.AppendBinary(b) // never fails
	}
	b = binary.AppendUvarint(b, uint64(len(t.told.queue)))
	t.told.each(func(id langsmith.ID) { b = append(b, id[:]...) })
	b = binary.AppendUvarint(b, uint64(len(t.spans.queue)))
	t.spans.each(func(key uint64, run langsmith.ID) {
		b = binary.LittleEndian.AppendUint64(b, key)
		b = append(b, run[:]...)
	})
	b = binary.AppendVarint(b, t.twins.last)
	b = binary.AppendUvarint(b, uint64(len(t.twins.queue)))
	for _, s := range t.twins.queue {
		b = binary.LittleEndian.AppendUint64(b, s.likeness)
		b = binary.LittleEndian.AppendUint64(b, uint64(s.at))
	}
	return b
}

var errState = errors.New("the merger's state does not decode")

// unmarshal reads a table of these limits, which may be others than it was written
// under: waiting then ends by the new ones.
func unmarshal(b []byte, l limits, out func(ended)) (*table, error) {
	t := newTable(l, out)
	bad := false
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[n:]
		return v
	}
	take := func(n uint64) []byte {
		if n > uint64(len(b)) {
			bad, b = true, nil
			return nil
		}
		v := b[:n]
		b = b[n:]
		return v
	}
	signed := func() int64 {
		v, n := binary.Varint(b)
		if n <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[n:]
		return v
	}
	t.seq = number()
	for range number() {
		if bad {
			break
		}
		w := &waiting{seq: number(), first: signed(), held: signed(), at: -1}
		w.tenant = string(take(number()))
		var err error
		if b, err = w.run.ReadBinary(b); err != nil {
			return nil, err
		}
		w.due = t.dueOf(w)
		if w.held != 0 {
			t.twins.hold(w)
		}
		w.size = w.run.Size()
		t.bytes += int64(w.size)
		t.runs[w.run.ID] = w
		heap.Push(&t.queue, w)
	}
	for range number() {
		id := take(16)
		if bad {
			break
		}
		t.told.add(langsmith.ID(id))
	}
	for range number() {
		key, run := take(8), take(16)
		if bad {
			break
		}
		t.spans.own(binary.LittleEndian.Uint64(key), langsmith.ID(run))
	}
	t.twins.last = signed()
	for range number() {
		line := take(16)
		if bad {
			break
		}
		t.twins.see(binary.LittleEndian.Uint64(line), int64(binary.LittleEndian.Uint64(line[8:])))
	}
	if bad || len(b) > 0 {
		return nil, errState
	}
	return t, nil
}
