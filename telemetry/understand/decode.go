package understand

import (
	"encoding/binary"
	"math"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// decoder reads what writer wrote. After the first fault bad is set and every
// value read is zero.
type decoder struct {
	b   []byte
	bad bool
	// unanswered states are of version 2, which knew no ids of answers.
	unanswered bool
	texts      []string
}

func (r *decoder) fail() { r.bad, r.b = true, nil }

func (r *decoder) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *decoder) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *decoder) bool() bool { return r.byte() != 0 }

func (r *decoder) fixed() uint64 {
	if v := r.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (r *decoder) id() (id [16]byte) {
	copy(id[:], r.take(16))
	return id
}

func (r *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// length reads the length of a list whose elements take at least size bytes each.
func (r *decoder) length(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *decoder) text() string {
	n := r.uvarint()
	switch {
	case n > uint64(len(r.texts)):
		r.fail()
		return ""
	case n > 0:
		return r.texts[n-1]
	}
	s := string(r.take(r.length(1)))
	r.texts = append(r.texts, s)
	return s
}

func (r *decoder) stats(s *Stats) {
	for _, n := range s.figures() {
		*n = r.varint()
	}
}

func (r *decoder) trace(a *assembly) {
	t := a.pool.trace()
	t.id, t.door, t.seq = r.id(), r.byte(), r.uvarint()
	for range r.length(12) {
		r.fragment(a, t)
		if r.bad {
			return
		}
	}
	kept := r.length(20)
	a.pool.closed(t)
	for range kept {
		t.keep(r.kept(a))
	}
	for range r.length(20) {
		t.chats = append(t.chats, r.chat())
	}
	for range r.length(10) {
		t.calls = append(t.calls, r.call(a))
	}
	t.until, t.keptSeq = r.varint(), r.uvarint()
	for i := range t.kept {
		if c := t.kept[i].chat; c < -1 || int(c) >= len(t.chats) {
			r.fail()
		}
	}
	if a.traces.get(&t.id) != nil || kept == 0 && (len(t.frags) == 0 || len(t.chats) > 0) {
		r.fail()
	}
	if kept == 0 && len(t.calls) == 0 {
		a.pool.putClosed(t)
	}
	if !r.bad {
		a.traces.put(t)
	}
}

func (r *decoder) fragment(a *assembly, t *trace) {
	f := &fragment{trace: t, seq: r.uvarint(), first: r.varint(), grew: r.varint(), due: r.varint()}
	count := r.length(40)
	if count == 0 {
		r.fail()
		return
	}
	if t.opened == nothingOpen {
		t.opened = a.pool.open()
	}
	slots := make([]int32, 0, count)
	parents := make([]uint64, 0, count)
	var s Span
	for n := range count {
		r.span(t, &s)
		if r.bad || t.find(s.ID) >= 0 {
			r.fail()
			return
		}
		i := t.put(s.ID)
		h := &t.spans[i]
		a.hold(h, &s, a.shapes.of(&s))
		h.frag = f
		h.adopted = r.bool()
		var parent uint64
		if n > 0 {
			parent = r.uvarint()
			t.spans[slots[n-1]].next = i
		}
		slots, parents = append(slots, i), append(parents, parent)
		f.genai = f.genai || s.Kind != semconv.KindOther || s.Flags&Entry != 0
	}
	f.top, f.head, f.tail, f.count = slots[0], slots[0], slots[count-1], int32(count)
	for n := 1; n < count; n++ {
		if parents[n] >= uint64(count) {
			r.fail()
			return
		}
		t.spans[slots[n]].parent = slots[parents[n]]
	}
	if !t.rooted(slots) {
		r.fail()
		return
	}
	a.open += count
	t.frags = append(t.frags, f)
	a.timers.set(f, laneLeaf)
	if t.spans[f.top].Parent != 0 {
		t.wait(f)
	}
}

// rooted tells whether every span of a fragment lies below the first.
func (t *trace) rooted(slots []int32) bool {
	checked := make(map[int32]bool, len(slots))
	checked[slots[0]] = true
	var path []int32
	for _, i := range slots {
		path = path[:0]
		for ; !checked[i]; i = t.spans[i].parent {
			path = append(path, i)
			if len(path) > len(slots) {
				return false
			}
		}
		for _, k := range path {
			checked[k] = true
		}
	}
	return true
}

func (r *decoder) span(t *trace, s *Span) {
	*s = Span{TraceID: t.id, Door: t.door}
	s.ID, s.Parent = r.fixed(), r.fixed()
	s.Start = r.varint()
	s.End = s.Start + r.varint()
	s.Service, s.Scope, s.Name = r.text(), r.text(), r.text()
	s.Kind = semconv.Kind(r.byte())
	s.SpanKind = otlp.SpanKind(r.byte())
	s.Outcome = telemetry.Outcome(r.byte())
	s.Flags = Flags(r.uvarint())
	s.HTTPStatus = uint16(r.uvarint())
	s.ErrorType = r.text()
	s.RunID = r.id()
	s.Search.Documents = -1
	switch {
	case isModel(s.Kind):
		c := &s.Call
		c.Operation, c.Provider, c.RequestModel, c.ResponseModel = r.text(), r.text(), r.text(), r.text()
		c.Tokens = r.tokens()
		c.HasUsage = r.bool()
		c.TimeToFirstToken = time.Duration(r.varint())
		c.ServiceTier, c.HasCost, c.CostNanoUSD = r.text(), r.bool(), r.varint()
		c.Ordered, c.Displacement = r.bool(), math.Float64frombits(r.fixed())
		c.Answer = r.answer()
		if c.CostNanoUSD < 0 {
			r.fail()
		}
	case isSearch(s.Kind):
		q := &s.Search
		q.DataSource = r.text()
		q.Documents, q.Scored = int32(r.varint()), int32(r.varint())
		q.Sum, q.Top = math.Float64frombits(r.fixed()), math.Float64frombits(r.fixed())
		q.Cache = telemetry.Cache(r.byte())
	default:
		s.Tool = r.text()
	}
	if s.End < s.Start || s.Start < 0 {
		r.fail()
	}
}

func (r *decoder) answer() uint32 {
	if r.unanswered {
		return 0
	}
	return uint32(r.uvarint())
}

func (r *decoder) tokens() (t telemetry.Tokens) {
	for _, n := range [...]*int64{&t.Input, &t.CacheRead, &t.CacheWrite, &t.Output, &t.Reasoning, &t.Unsplit} {
		if *n = r.varint(); *n < 0 {
			r.fail()
		}
	}
	return t
}

func (r *decoder) kept(a *assembly) (k kept) {
	k.id, k.parent, k.start = r.fixed(), r.fixed(), r.varint()
	k.end = k.start + r.varint()
	k.from = a.shapes.source(r.text(), "")
	k.chat = int32(r.varint())
	k.kind, k.flags = semconv.Kind(r.byte()), keptFlags(r.byte())
	return k
}

func (r *decoder) chat() (k keptChat) {
	k.run, k.service, k.counts = r.id(), r.text(), r.bool()
	k.creditCalls, k.creditTokens = r.varint(), r.varint()
	k.calls, k.tokens = r.varint(), r.varint()
	return k
}

func (r *decoder) call(a *assembly) (k keptCall) {
	service, scope := r.text(), r.text()
	k.source, k.model = a.shapes.source(service, scope), r.text()
	k.start = r.varint()
	k.end = k.start + r.varint()
	k.tokens = r.tokens()
	k.answer = r.answer()
	return k
}

func (r *decoder) runs(s *runs) {
	for range r.length(17) {
		s.queue = append(s.queue, postedAt{r.id(), r.varint()})
	}
	n := r.length(19)
	if n > 0 {
		s.posted = make(map[RunID]posted, n)
	}
	for range n {
		s.posted[r.id()] = posted{r.varint(), r.varint(), r.varint()}
	}
}

func (r *decoder) entries(e *entries) {
	for range r.length(4) {
		key := EntryCount{Service: r.text(), Name: r.text(), Counts: r.bool()}
		*e.count(key) = r.varint()
	}
}

func (r *decoder) judgements(j *judgements) {
	for range r.length(24) {
		key := judgementKey(r.id())
		_, known := j.scores[key]
		j.set(key, r.fixed(), !known)
	}
}
