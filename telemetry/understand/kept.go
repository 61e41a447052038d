package understand

import (
	"treq/telemetry"
	"treq/telemetry/semconv"
)

// kept is what is remembered of a span whose fragment closed, for the sake of
// spans that come late.
type kept struct {
	id, parent uint64
	start, end int64
	from       *source
	chat       int32 // index of its chat in the trace's chats, -1 if it is in none
	kind       semconv.Kind
	flags      keptFlags
}

// keptFlags say what a kept span means to late spans above and below it.
type keptFlags uint8

const (
	// underCall: the nearest model span at or above it, nothing blocking between,
	// was counted as a call.
	underCall keptFlags = 1 << iota
	// underWrapper: that span wraps calls and is none.
	underWrapper
	// inSearch: it is a search or a part of one.
	inSearch
	// keptExcluded: it is excluded, or below what is.
	keptExcluded
	// keptTop: it was the top of its fragment.
	keptTop
	// overModel: a model span of its fragment would be wrapped by one above the top. For tops.
	overModel
	// overSearch: a search of its fragment would be part of one above the top. For tops.
	overSearch
)

// keptChat is a chat that was counted, or that a POST counted.
type keptChat struct {
	run     RunID
	service string
	counts  bool // additions to it are told
	// creditCalls and creditTokens are what a POST counted before its spans did.
	creditCalls, creditTokens int64
	calls, tokens             int64 // what its spans told in all
}

// keptCall is a counted call, to be known again if another instrumentation tells of it late.
type keptCall struct {
	*source
	model      string
	start, end int64
	tokens     telemetry.Tokens
	answer     uint32 // see Call
}

// keptIndex gives the index of a kept span, -1 if it is not.
func (t *trace) keptIndex(id uint64) int32 {
	if t.keptAt != nil {
		if i, ok := t.keptAt[id]; ok {
			return i
		}
		return -1
	}
	for i := range t.kept {
		if t.kept[i].id == id {
			return int32(i)
		}
	}
	return -1
}

// keep remembers a span.
func (t *trace) keep(k kept) {
	t.kept = append(t.kept, k)
	switch {
	case t.keptAt != nil:
		t.indexKept(len(t.kept) - 1)
	case len(t.kept) > indexFrom:
		t.keptAt = make(map[uint64]int32, 4*indexFrom)
		t.tops = make(map[uint64][]int32)
		for i := range t.kept {
			t.indexKept(i)
		}
	}
}

func (t *trace) indexKept(i int) {
	k := &t.kept[i]
	t.keptAt[k.id] = int32(i)
	if k.flags&keptTop != 0 && k.parent != 0 {
		t.tops[k.parent] = append(t.tops[k.parent], int32(i))
	}
}

// keptBelow gives each kept top that lacks a span for its parent, until told to stop.
func (t *trace) keptBelow(parent uint64, yield func(*kept) bool) {
	if t.keptAt != nil {
		for _, i := range t.tops[parent] {
			if k := &t.kept[i]; k.flags&keptTop != 0 && !yield(k) {
				return
			}
		}
		return
	}
	for i := range t.kept {
		if k := &t.kept[i]; k.flags&keptTop != 0 && k.parent == parent && !yield(k) {
			return
		}
	}
}

// memory is a trace in the queue of those that remember something.
type memory struct {
	trace *trace
	seq   uint64
	until int64
}
