package understand

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"treq/telemetry"
)

// writer encodes state: integers as varints, texts once and then by number.
type writer struct {
	b     []byte
	texts map[string]uint64
	// latest has texts that were written of late with their numbers.
	latest [64]struct {
		text   string
		number uint64
	}
	// Used again from fragment to fragment: the slots in the order in which they are
	// written, where each stands in it, and the fragments of a trace.
	order []int32
	place []uint64
	frags []*fragment
}

func (w *writer) byte(v byte)      { w.b = append(w.b, v) }
func (w *writer) uvarint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) varint(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) fixed(v uint64)   { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *writer) bytes(v []byte)   { w.b = append(w.b, v...) }

func (w *writer) bool(v bool) {
	if v {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

// text writes 0 and the text when it is new, else its number from 1.
func (w *writer) text(s string) {
	at := &w.latest[0]
	if n := len(s); n > 0 {
		at = &w.latest[(n+int(s[n/2])+int(s[n-1]))%len(w.latest)]
	}
	if at.number != 0 && at.text == s {
		w.uvarint(at.number)
		return
	}
	if n, ok := w.texts[s]; ok {
		at.text, at.number = s, n
		w.uvarint(n)
		return
	}
	w.texts[s] = uint64(len(w.texts)) + 1
	w.uvarint(0)
	w.uvarint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) stats(s *Stats) {
	for _, n := range s.figures() {
		w.varint(*n)
	}
}

// figures are the figures that are state; the others follow from it.
func (s *Stats) figures() []*int64 {
	return []*int64{&s.ClosedEarly, &s.Forgotten, &s.ChatsFromTraces, &s.ChatsFromPosts}
}

func (w *writer) trace(t *trace) {
	w.bytes(t.id[:])
	w.byte(t.door)
	w.uvarint(t.seq)
	frags := append(w.frags[:0], t.frags...)
	w.frags = frags
	slices.SortFunc(frags, func(x, y *fragment) int {
		if x.seq < y.seq {
			return -1
		}
		return 1
	})
	w.uvarint(uint64(len(frags)))
	for _, f := range frags {
		w.fragment(t, f)
	}
	w.uvarint(uint64(len(t.kept)))
	for i := range t.kept {
		w.kept(&t.kept[i])
	}
	w.uvarint(uint64(len(t.chats)))
	for i := range t.chats {
		w.chat(&t.chats[i])
	}
	w.uvarint(uint64(len(t.calls)))
	for i := range t.calls {
		w.call(&t.calls[i])
	}
	w.varint(t.until)
	w.uvarint(t.keptSeq)
}

// fragment writes the spans in the order of the list, each with its parent's place
// in it; the top comes first.
func (w *writer) fragment(t *trace, f *fragment) {
	w.uvarint(f.seq)
	w.varint(f.first)
	w.varint(f.grew)
	w.varint(f.due)
	w.uvarint(uint64(f.count))
	w.order = append(w.order[:0], f.top)
	w.place = slices.Grow(w.place[:0], len(t.spans))[:len(t.spans)]
	for i := f.head; i >= 0; i = t.spans[i].next {
		if i != f.top {
			w.order = append(w.order, i)
		}
	}
	for n, i := range w.order {
		w.place[i] = uint64(n)
	}
	for _, i := range w.order {
		h := &t.spans[i]
		w.span(h)
		w.bool(h.adopted)
		if h.parent >= 0 {
			w.uvarint(w.place[h.parent])
		}
	}
}

func (w *writer) span(s *held) {
	w.fixed(s.ID)
	w.fixed(s.Parent)
	w.varint(s.Start)
	w.varint(s.End - s.Start)
	w.text(s.Service)
	w.text(s.Scope)
	w.text(s.Name)
	w.byte(byte(s.Kind))
	w.byte(byte(s.SpanKind))
	w.byte(byte(s.Outcome))
	w.uvarint(uint64(s.Flags))
	w.uvarint(uint64(s.HTTPStatus))
	w.text(s.ErrorType)
	w.bytes(s.RunID[:])
	switch {
	case isModel(s.Kind):
		c := s.Call
		w.text(s.Operation)
		w.text(s.Provider)
		w.text(s.RequestModel)
		w.text(s.ResponseModel)
		w.tokens(&c.Tokens)
		w.bool(c.HasUsage)
		w.varint(int64(c.TimeToFirstToken))
		w.text(s.ServiceTier)
		w.bool(c.HasCost)
		w.varint(c.CostNanoUSD)
		w.bool(c.Ordered)
		w.fixed(math.Float64bits(c.Displacement))
		w.uvarint(uint64(c.Answer))
	case isSearch(s.Kind):
		q := s.Search
		w.text(s.DataSource)
		w.varint(int64(q.Documents))
		w.varint(int64(q.Scored))
		w.fixed(math.Float64bits(q.Sum))
		w.fixed(math.Float64bits(q.Top))
		w.byte(byte(q.Cache))
	default:
		w.text(s.Tool)
	}
}

func (w *writer) tokens(t *telemetry.Tokens) {
	for _, n := range [...]int64{t.Input, t.CacheRead, t.CacheWrite, t.Output, t.Reasoning, t.Unsplit} {
		w.varint(n)
	}
}

func (w *writer) kept(k *kept) {
	w.fixed(k.id)
	w.fixed(k.parent)
	w.varint(k.start)
	w.varint(k.end - k.start)
	w.text(k.from.Service)
	w.varint(int64(k.chat))
	w.byte(byte(k.kind))
	w.byte(byte(k.flags))
}

func (w *writer) chat(k *keptChat) {
	w.bytes(k.run[:])
	w.text(k.service)
	w.bool(k.counts)
	w.varint(k.creditCalls)
	w.varint(k.creditTokens)
	w.varint(k.calls)
	w.varint(k.tokens)
}

func (w *writer) call(k *keptCall) {
	w.text(k.Service)
	w.text(k.Scope)
	w.text(k.model)
	w.varint(k.start)
	w.varint(k.end - k.start)
	w.tokens(&k.tokens)
	w.uvarint(uint64(k.answer))
}

func (w *writer) runs(r *runs) {
	w.uvarint(uint64(len(r.queue)))
	for _, q := range r.queue {
		w.bytes(q.run[:])
		w.varint(q.until)
	}
	keys := make([]RunID, 0, len(r.posted))
	for run := range r.posted {
		keys = append(keys, run)
	}
	slices.SortFunc(keys, func(a, b RunID) int { return bytes.Compare(a[:], b[:]) })
	w.uvarint(uint64(len(keys)))
	for _, run := range keys {
		p := r.posted[run]
		w.bytes(run[:])
		w.varint(p.calls)
		w.varint(p.tokens)
		w.varint(p.until)
	}
}

func (w *writer) entries(e *entries) {
	list := e.list()
	w.uvarint(uint64(len(list)))
	for i := range list {
		w.text(list[i].Service)
		w.text(list[i].Name)
		w.bool(list[i].Counts)
		w.varint(list[i].Count)
	}
}

func (w *writer) judgements(j *judgements) {
	w.uvarint(uint64(len(j.queue)))
	for _, key := range j.queue {
		w.bytes(key[:])
		w.fixed(j.scores[key])
	}
}
