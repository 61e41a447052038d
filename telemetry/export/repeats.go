package export

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/zeebo/xxh3"
	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/journal"
)

const (
	// repeatWindow is how long after a start clients may come again with what they
	// sent before it, and how long before the start they may have sent it.
	repeatWindow = time.Minute
	// inherited is how many spans of the process before are remembered: many times
	// what its doors can have held without an answer.
	inherited = 1 << 14
	// recentRecords and recentBytes bound what of the journal before the position is
	// looked at again after a kill: a sink may have had a record before its client had
	// the answer.
	recentRecords = 64
	recentBytes   = 1 << 20
)

// Field numbers that tell whether two spans are the same.
const (
	spanID     = 2
	spanName   = 5
	spanEvents = 11
)

// repeats knows the last spans of the process before this one. When that was killed,
// clients had requests on disk that were not answered yet, and send them again: in
// the same bytes, which the journal knows, or packed otherwise, which only the spans
// tell. A sink gets such a span once. It belongs to the pump. The zero value knows none.
type repeats struct {
	born  time.Time // of this process, or of the sink within it
	seed  uint64
	known map[xxh3.Uint128]struct{}
	order []xxh3.Uint128 // of known, oldest first from next on
	next  int
	key   []byte
}

func newRepeats(born time.Time) repeats { return repeats{born: born, seed: rand.Uint64()} }

// lookBack learns the spans of the last records that a process which was killed
// delivered. What cannot be read is not learnt: its spans may be sent twice.
func (p *pump) lookBack() {
	if len(p.recent) == 0 {
		return
	}
	cursor, err := p.sink.reopen("sink-again:"+p.sink.config.Name, p.recent[0])
	if err != nil {
		return
	}
	defer cursor.Close()
	for {
		record, err := cursor.TryNext()
		if err != nil || record == nil {
			return
		}
		if record.Position < p.begin && record.Kind != journal.Runs && p.sink.config.takes(record.Kind) && p.repeats.learns(record) {
			if data, err := record.Data(); err == nil {
				p.repeats.learn(data)
			}
		}
		done := record.End >= p.begin
		record.Release()
		if done {
			return
		}
	}
}

// learns tells that a record's spans may come again.
func (r *repeats) learns(record *journal.Record) bool {
	return record.Admitted.Before(r.born) && r.born.Sub(record.Admitted) < repeatWindow
}

// doubts tells that a record's spans may have come before: also where it was admitted
// before this process as well, since a sink may be some kills behind.
func (r *repeats) doubts(record *journal.Record) bool {
	if len(r.known) == 0 {
		return false
	}
	if record.Admitted.Sub(r.born) < repeatWindow {
		return true
	}
	*r = repeats{}
	return false
}

// learn remembers the spans of a request.
func (r *repeats) learn(request []byte) {
	if r.known == nil {
		r.known = make(map[xxh3.Uint128]struct{})
	}
	_ = eachSpan(request, func(span []byte) {
		k := r.identity(span)
		if _, ok := r.known[k]; ok {
			return
		}
		r.known[k] = struct{}{}
		if len(r.order) < inherited {
			r.order = append(r.order, k)
			return
		}
		delete(r.known, r.order[r.next])
		r.order[r.next] = k
		r.next = (r.next + 1) % inherited
	})
}

// without gives a request without the spans that are known, and how many those are:
// the request itself where there are none.
func (r *repeats) without(request []byte) (rest []byte, repeated int64, err error) {
	has := func(span []byte) bool {
		_, ok := r.known[r.identity(span)]
		return ok
	}
	err = eachSpan(request, func(span []byte) {
		if has(span) {
			repeated++
		}
	})
	if err != nil || repeated == 0 {
		return request, 0, err
	}
	rest, _, err = selectSpans(request, func(span []byte) bool { return !has(span) })
	return rest, repeated, err
}

// identity is what two spans have in common only if one is the other, sent again:
// ids alone are not enough, since some clients send a span when it begins and once
// more when it ends. Values of attributes are left out, as are their bytes: the same
// span looks otherwise when it comes as JSON.
func (r *repeats) identity(span []byte) xxh3.Uint128 {
	key := r.key[:0]
	var attributes, events uint64
	for len(span) > 0 {
		number, kind, n := protowire.ConsumeTag(span)
		if n < 0 {
			break
		}
		m := protowire.ConsumeFieldValue(number, kind, span[n:])
		if m < 0 {
			break
		}
		switch number {
		case spanTraceID, spanID, spanName, spanStart, spanEnd:
			key = append(key, byte(number))
			key = append(key, span[n:n+m]...)
		case spanAttributes:
			attributes++
		case spanEvents:
			events++
		}
		span = span[n+m:]
	}
	key = binary.LittleEndian.AppendUint64(key, attributes)
	key = binary.LittleEndian.AppendUint64(key, events)
	r.key = key
	return xxh3.Hash128Seed(key, r.seed)
}
