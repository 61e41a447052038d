package cases

import (
	"slices"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// chats finds the entries by the first rule that applies.
func (n *naive) chats(t *tally) {
	entry := map[int]int{} // span to the entry at or above it
	within := func(i int) int {
		for _, at := range append([]int{i}, n.above(i)...) {
			if e, ok := entry[at]; ok {
				return e
			}
		}
		return -1
	}
	defer func() {
		entries := map[int]bool{}
		for _, e := range entry {
			entries[e] = true
		}
		t.Chats = int64(len(entries))
		for i := range n.spans {
			if n.isLLMCall(i) && within(i) >= 0 {
				t.ChatCalls++
				t.ChatTokens += n.usage[i]
			}
		}
	}()
	excluded := func(i int) bool {
		return slices.ContainsFunc(append([]int{i}, n.above(i)...), func(at int) bool { return n.spans[at].Flags.Has(understand.Excluded) })
	}
	usable := func(i int) bool { return !excluded(i) && !n.spans[i].Flags.Has(understand.Unusable) }
	var active []int
	for i := range n.spans {
		if (n.isLLMCall(i) || n.isEvent(i)) && !excluded(i) {
			active = append(active, i)
		}
		if n.spans[i].Flags.Has(understand.Entry) && n.spans[i].Flags&(understand.Excluded|understand.Unusable) == 0 {
			if !slices.ContainsFunc(n.above(i), func(up int) bool {
				return n.spans[up].Flags.Has(understand.Entry) && n.spans[up].Flags&(understand.Excluded|understand.Unusable) == 0
			}) {
				entry[i] = i
			}
		}
	}
	if len(entry) > 0 || len(active) == 0 {
		return
	}
	over := func(i int) bool {
		return !slices.ContainsFunc(active, func(a int) bool { return !slices.Contains(n.above(a), i) })
	}
	lowest := -1
	for i := range n.spans {
		if n.spans[i].SpanKind == otlp.KindServer && over(i) && usable(i) && !n.spans[i].Flags.Has(understand.Session) &&
			(lowest < 0 || slices.Contains(n.above(i), lowest)) {
			lowest = i
		}
	}
	if lowest >= 0 {
		entry[lowest] = lowest
		return
	}
	top := n.children[-1][0]
	if k := n.kind(top); n.spans[top].SpanKind != otlp.KindConsumer && !model(k) && !isSearch(k) && k != semconv.KindVectorStore &&
		usable(top) && !n.spans[top].Flags.Has(understand.Session) {
		entry[top] = top
		return
	}
	chain := func(i int) bool {
		return (n.kind(i) == semconv.KindChain || n.kind(i) == semconv.KindAgent) && usable(i) &&
			slices.ContainsFunc(active, func(a int) bool { return slices.Contains(n.above(a), i) })
	}
	for i := range n.spans {
		if chain(i) && !slices.ContainsFunc(n.above(i), chain) {
			entry[i] = i
		}
	}
	for i := range n.spans {
		if !n.isLLMCall(i) || within(i) >= 0 || !usable(i) {
			continue
		}
		outermost := i
		for _, up := range n.above(i) {
			if n.kind(up) != semconv.KindLLM {
				continue
			}
			if within(up) >= 0 || !usable(up) {
				break
			}
			outermost = up
		}
		entry[outermost] = outermost
	}
}

func (n *naive) isLLMCall(i int) bool {
	return n.kind(i) == semconv.KindLLM && (n.isCall[i] || n.extra[i])
}
